import SepalTensor

/// An element type by its ONNX number; numbers that the specification does not know are carried too.
package struct ONNXDataType: RawRepresentable, Sendable, Hashable {
  package var rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let undefined = Self(rawValue: 0)
  package static let float = Self(rawValue: 1)
  package static let uint8 = Self(rawValue: 2)
  package static let int8 = Self(rawValue: 3)
  package static let uint16 = Self(rawValue: 4)
  package static let int16 = Self(rawValue: 5)
  package static let int32 = Self(rawValue: 6)
  package static let int64 = Self(rawValue: 7)
  package static let string = Self(rawValue: 8)
  package static let bool = Self(rawValue: 9)
  package static let float16 = Self(rawValue: 10)
  package static let double = Self(rawValue: 11)
  package static let uint32 = Self(rawValue: 12)
  package static let uint64 = Self(rawValue: 13)
  package static let bfloat16 = Self(rawValue: 16)

  /// The element type to import as; nil for strings, complex numbers and everything narrower than a byte or
  /// in an 8-bit float format.
  package var element: ElementType? {
    switch self {
    case .float: .float32
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .bool: .bool
    case .float16: .float16
    case .double: .float64
    case .uint32: .uint32
    case .uint64: .uint64
    case .bfloat16: .bfloat16
    default: nil
    }
  }

  package init(_ element: ElementType) {
    self =
      switch element {
      case .float32: .float
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .float64: .double
      case .int8: .int8
      case .uint8: .uint8
      case .int16: .int16
      case .uint16: .uint16
      case .int32: .int32
      case .uint32: .uint32
      case .int64: .int64
      case .uint64: .uint64
      case .bool: .bool
      }
  }
}

extension ONNXDataType: CustomStringConvertible {
  /// The specification's name, in lower case.
  package var description: String {
    let names = [
      "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16",
      "double", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz",
      "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2",
      "float6e2m3", "float6e3m2",
    ]
    guard let index = Int(exactly: rawValue), names.indices.contains(index) else {
      return "data type \(rawValue)"
    }
    return names[index]
  }
}
