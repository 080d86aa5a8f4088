import SepalTensor
import SepalWire

/// A tensor as the file declares it; the elements are still where the file has them.
package struct ONNXTensor: Sendable {
  package var name: String
  package var dims: [Int64]
  package var dataType: ONNXDataType
  var payload: Payload

  enum Payload: Sendable {
    /// Pieces of the `storage` that holds the model. No pieces: the file has no elements.
    case embedded([PayloadPiece], storage: TensorStorage)
    /// A range of another file; without `length` it extends as far as the tensor does.
    case external(TensorStorage, offset: Int, length: Int?)
    /// The elements that are not zero, and where they are.
    indirect case sparse(values: ONNXTensor, indices: ONNXTensor)
    /// One of several messages that a tensor was cut into.
    case segment
  }

  /// The type of the tensor, checked: a supported element type, rank ≤ 8, no negative dimension, and an
  /// element count that fits this machine even with zero dimensions left out.
  package func type() throws(ONNXError) -> TensorType {
    guard let element = dataType.element else {
      throw error(.unsupported, "has elements of type \(dataType), which is not supported")
    }
    guard dims.count <= TensorType.maximumRank else {
      throw error(.limit, "has rank \(dims.count), expected at most \(TensorType.maximumRank)")
    }
    var shape: [Int] = []
    for dim in dims {
      guard let dim = Int(exactly: dim), dim >= 0 else {
        throw error(.invalid, "has the dimension \(dim), expected 0 or more")
      }
      shape.append(dim)
    }
    guard TensorType.checkedCount(shape.map { max($0, 1) }) != nil else {
      throw error(.limit, "declares more elements than memory can address: \(Self.list(dims))")
    }
    return TensorType(element, shape)
  }

  /// What decoding the elements can allocate out of proportion to the bytes that the file has for them: small
  /// numbers in variable-length form and sparse tensors grow. 0 for a tensor that cannot be decoded.
  var decodedBytes: Int {
    guard let type = try? type() else { return 0 }
    switch payload {
    case .embedded(let pieces, _):
      let isList = pieces.contains { $0.field == .int32 || $0.field == .int64 || $0.field == .uint64 }
      return isList ? type.byteCount : 0
    case .sparse: return type.byteCount
    case .external, .segment: return 0
    }
  }

  func error(_ code: ONNXError.Code, _ message: String) -> ONNXError {
    ONNXError(code, message, tensor: name)
  }

  /// `3x224x224`; only the first dimensions of an absurd rank.
  static func list(_ dims: [Int64]) -> String {
    let shown = dims.prefix(TensorType.maximumRank).map(String.init).joined(separator: "x")
    return dims.count > TensorType.maximumRank ? "\(shown)x…" : shown
  }
}

extension PayloadPiece {
  /// The fields of TensorProto that hold elements.
  enum Field: UInt32, Sendable, CaseIterable {
    case float = 4
    case int32 = 5
    case int64 = 7
    case raw = 9
    case double = 10
    case uint64 = 11

    /// The name in the specification.
    var name: String {
      switch self {
      case .float: "float_data"
      case .int32: "int32_data"
      case .int64: "int64_data"
      case .raw: "raw_data"
      case .double: "double_data"
      case .uint64: "uint64_data"
      }
    }
  }

  /// The scanner makes pieces of these fields only.
  var field: Field { Field(rawValue: number) ?? .raw }
}
