import SepalTensor

/// The `.npy` format, versions 1 to 3: magic, a Python dictionary literal, the elements.
enum NumpyArray {
  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// Row-major little-endian elements are used in place; others are reordered.
  static func read(_ storage: TensorStorage, in range: Range<Int>) throws(NumpyError) -> Tensor {
    let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[range])
    defer { withExtendedLifetime(storage) {} }
    guard bytes.count >= 10, bytes.prefix(6).elementsEqual(magic) else {
      throw NumpyError(.malformed, "is not a numpy array")
    }
    let isShort = bytes[6] == 1
    guard (1...3).contains(bytes[6]), isShort || bytes.count >= 12 else {
      throw NumpyError(.unsupported, "has array format version \(bytes[6]), expected 1 to 3")
    }
    let start = isShort ? 10 : 12
    let length = (8..<start).reduce(0) { $0 | Int(bytes[$1]) << (8 * ($1 - 8)) }
    guard length <= 1 << 16, length <= bytes.count - start else {
      throw NumpyError(.malformed, "has a header that is cut off or too long")
    }
    let header = try NumpyHeader(String(decoding: bytes[start..<start + length], as: UTF8.self))
    let offset = start + length
    guard let count = TensorType.checkedCount(header.shape, elementSize: header.element.size),
      header.shape.count <= TensorType.maximumRank
    else { throw NumpyError(.malformed, "has the impossible shape \(header.shape)") }
    guard count * header.element.size == bytes.count - offset else {
      throw NumpyError(
        .malformed,
        "holds \(bytes.count - offset) bytes of data, expected \(count * header.element.size) for its shape")
    }
    let type = TensorType(header.element, header.shape)
    let size = header.element.size
    if (!header.isBigEndian || size == 1) && (!header.isFortran || header.shape.count < 2) {
      return Tensor(type, storage: storage, byteOffset: range.lowerBound + offset)
    }
    return Tensor(type) { target in
      let order = header.isFortran ? Array(header.shape.indices) : Array(header.shape.indices.reversed())
      // Steps of the source, in elements, per axis of the result.
      var steps = [Int](repeating: 0, count: header.shape.count)
      var step = 1
      for axis in order {
        steps[axis] = step
        step *= header.shape[axis]
      }
      var index = [Int](repeating: 0, count: header.shape.count)
      var source = 0
      for element in 0..<count {
        for byte in 0..<size {
          let from = header.isBigEndian ? size - 1 - byte : byte
          target[element * size + byte] = bytes[offset + source * size + from]
        }
        var axis = index.count - 1
        while axis >= 0 {
          index[axis] += 1
          source += steps[axis]
          if index[axis] < header.shape[axis] { break }
          source -= steps[axis] * header.shape[axis]
          index[axis] = 0
          axis -= 1
        }
      }
    }
  }

  static func write<E: Error>(_ tensor: Tensor, to sink: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E)
  {
    // numpy has no bfloat16; float32 holds every value of it.
    let tensor = tensor.element == .bfloat16 ? tensor.converted(to: .float32) : tensor
    let dims = tensor.shape.map(String.init).joined(separator: ", ")
    let shape = tensor.shape.count == 1 ? "(\(dims),)" : "(\(dims))"
    var header =
      "{'descr': '\(NumpyHeader.code(of: tensor.element))', 'fortran_order': False, 'shape': \(shape), }"
    // Data starts at a multiple of 64.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    let bytes =
      magic + [1, 0, UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
    let copy = TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
    try sink(copy.bytes)
    withExtendedLifetime(copy) {}
    try tensor.withUnsafeBytes(sink)
  }
}
