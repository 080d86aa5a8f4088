import SepalTensor
import SepalWire

extension ONNXTensor {
  /// The elements. A view of the file where its bytes are the tensor's, otherwise a decoded copy, which is
  /// allocated only after the element count has been found in the file.
  package func tensor() throws(ONNXError) -> Tensor {
    let type = try type()
    switch payload {
    case .segment:
      throw error(.unsupported, "is stored in segments, which is not supported")
    case .sparse(let values, let indices):
      return try dense(type, values: values, indices: indices)
    case .external(let storage, let offset, let length):
      return try external(type, storage, offset, length)
    case .embedded(let pieces, let storage):
      // A later raw_data replaces an earlier one.
      if let raw = pieces.last(where: { $0.field == .raw }), raw.count > 0 || pieces.count == 1 {
        guard raw.count == type.byteCount else { throw mismatch(type, "\(raw.count) bytes") }
        return Tensor(type, storage: storage, byteOffset: raw.start)
      }
      return try listed(type, pieces.filter { $0.field != .raw }, storage)
    }
  }

  private func external(
    _ type: TensorType, _ storage: TensorStorage, _ offset: Int, _ length: Int?
  ) throws(ONNXError) -> Tensor {
    let available = length ?? storage.bytes.count - offset
    guard length == nil ? available >= type.byteCount : available == type.byteCount else {
      throw error(
        .externalData, "has \(available) bytes of external data, expected \(type.byteCount) for \(type)")
    }
    return Tensor(type, storage: storage, byteOffset: offset)
  }

  /// Elements from the typed fields.
  private func listed(
    _ type: TensorType, _ pieces: [PayloadPiece], _ storage: TensorStorage
  ) throws(ONNXError) -> Tensor {
    let field = Self.field(of: type.element)
    if let stray = pieces.first(where: { $0.field != field }) {
      throw error(.invalid, "of type \(type) has its elements in \(stray.field.name), expected \(field.name)")
    }
    if field == .float || field == .double, pieces.count == 1, let piece = pieces.first, !piece.tagged {
      guard piece.count == type.byteCount else { throw mismatch(type, "\(piece.count) bytes") }
      return Tensor(type, storage: storage, byteOffset: piece.start)
    }
    let decoder = PayloadDecoder(pieces: pieces, bytes: storage.bytes)
    guard let count = decoder.elementCount else {
      throw error(.malformed, "has a broken list of elements in \(field.name)")
    }
    guard count == type.count else {
      throw mismatch(type, count == 0 ? "no elements" : "\(count) element\(count == 1 ? "" : "s")")
    }
    var misfit: Int?
    let tensor = Tensor(type) { misfit = decoder.decode(into: $0, as: type.element) }
    if let misfit {
      throw error(
        .invalid, "has an element in \(field.name) at index \(misfit) that \(type.element) cannot hold")
    }
    return tensor
  }

  private func mismatch(_ type: TensorType, _ found: String) -> ONNXError {
    error(.invalid, "has \(found), expected \(type.byteCount) bytes for \(type)")
  }

  /// The typed field that the specification assigns to an element type.
  private static func field(of element: ElementType) -> PayloadPiece.Field {
    switch element {
    case .float32: .float
    case .float64: .double
    case .int64: .int64
    case .uint32, .uint64: .uint64
    case .float16, .bfloat16, .int8, .uint8, .int16, .uint16, .int32, .bool: .int32
    }
  }
}

/// Reads the lists of numbers that a tensor's typed fields hold. Ranges are inside `bytes`, and the
/// boundaries of tagged elements have been checked by the scanner.
struct PayloadDecoder {
  let pieces: [PayloadPiece]
  let bytes: UnsafeRawBufferPointer

  /// Elements in all pieces; nil when a piece does not end where an element does.
  var elementCount: Int? {
    var total = 0
    for piece in pieces {
      switch piece.field {
      case .float, .double:
        let stride = (piece.field == .float ? 4 : 8) + (piece.tagged ? 1 : 0)
        guard piece.count % stride == 0 else { return nil }
        total += piece.count / stride
      case .int32, .int64, .uint64, .raw:
        // A varint ends at its only byte below 128; so does a one-byte tag.
        let ends = bytes[piece.start..<piece.start + piece.count].reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) }
        guard piece.count == 0 || bytes[piece.start + piece.count - 1] < 0x80 else { return nil }
        total += piece.tagged ? ends / 2 : ends
      }
    }
    return total
  }

  /// Writes the elements, or gives the index of the first one that `element` cannot hold. `target` has room
  /// for exactly `elementCount`.
  func decode(into target: UnsafeMutableRawBufferPointer, as element: ElementType) -> Int? {
    switch element {
    case .float32: copy(Float.self, into: target)
    case .float64: copy(Double.self, into: target)
    case .int8: convert(into: target) { Int8(exactly: Int32(truncatingIfNeeded: $0)) }
    case .uint8: convert(into: target) { UInt8(exactly: Int32(truncatingIfNeeded: $0)) }
    case .int16: convert(into: target) { Int16(exactly: Int32(truncatingIfNeeded: $0)) }
    case .uint16, .float16, .bfloat16:
      convert(into: target) { UInt16(exactly: Int32(truncatingIfNeeded: $0)) }
    case .int32: convert(into: target) { Int32(truncatingIfNeeded: $0) }
    case .bool: convert(into: target) { $0 == 0 ? UInt8(0) : 1 }
    case .uint32: convert(into: target) { UInt32(exactly: $0) }
    case .int64, .uint64: convert(into: target) { $0 }
    }
  }

  private func copy<Scalar: BitwiseCopyable>(
    _: Scalar.Type, into target: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var offset = 0
    for piece in pieces {
      let tag = piece.tagged ? 1 : 0
      var position = piece.start
      while position < piece.start + piece.count {
        let scalar = bytes.loadUnaligned(fromByteOffset: position + tag, as: Scalar.self)
        target.storeBytes(of: scalar, toByteOffset: offset, as: Scalar.self)
        position += tag + MemoryLayout<Scalar>.size
        offset += MemoryLayout<Scalar>.size
      }
    }
    return nil
  }

  private func convert<Scalar: BitwiseCopyable>(
    into target: UnsafeMutableRawBufferPointer, _ transform: (UInt64) -> Scalar?
  ) -> Int? {
    var index = 0
    for piece in pieces {
      var position = piece.start
      while position < piece.start + piece.count {
        if piece.tagged { position += 1 }
        // A varint of more than ten bytes is not a number.
        guard let value = bytes.varint(at: &position, end: piece.start + piece.count),
          let scalar = transform(value)
        else { return index }
        target.storeBytes(of: scalar, toByteOffset: index * MemoryLayout<Scalar>.size, as: Scalar.self)
        index += 1
      }
    }
    return nil
  }
}
