import SepalTensor

/// The extent of a dataset or an attribute.
struct Dataspace: Sendable {
  /// A null dataspace has the shape [0].
  let shape: [Int]
  /// How far each dimension may grow; nil is without limit.
  let maximum: [Int?]
  let isNull: Bool

  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(1...2)
    let rank = Int(try cursor.u8())
    let flags = try cursor.u8()
    let type = try cursor.u8()
    guard version == 1 || type <= 2 else { throw cursor.unsupported("of type \(type)") }
    isNull = version == 2 && type == 2
    guard rank <= TensorType.maximumRank else {
      throw cursor.unsupported("of \(rank) dimensions, at most \(TensorType.maximumRank) are read")
    }
    guard rank == 0 || version == 1 || type == 1 else {
      throw cursor.malformed("of a scalar with dimensions")
    }
    if version == 1 {
      try cursor.skip(4)
      guard flags & 2 == 0 else { throw cursor.unsupported("with permuted dimensions") }
    }
    var shape: [Int] = []
    for _ in 0..<rank { shape.append(try cursor.length()) }
    var maximum: [Int?] = []
    if flags & 1 != 0 {
      for size in shape {
        let value = try cursor.unsigned(cursor.file.lengthSize)
        let isUnlimited = value == UInt64.max >> UInt64(64 - 8 * cursor.file.lengthSize)
        let limit = isUnlimited ? nil : Int(exactly: value)
        guard isUnlimited || limit ?? -1 >= size else {
          throw cursor.malformed("of \(size) elements where \(value) are the most")
        }
        maximum.append(limit)
      }
    }
    self.shape = isNull ? [0] : shape
    self.maximum = flags & 1 != 0 ? maximum : shape
  }

  /// The number of elements, if their bytes can be counted and are no more than any tensor may have.
  func count(elementSize: Int) throws(HDF5Error) -> Int {
    guard let count = TensorType.checkedCount(shape, elementSize: elementSize),
      count * elementSize <= TensorType.maximumByteCount
    else {
      throw HDF5Error(
        .unsupported, "has the shape \(shape) of \(elementSize)-byte elements, which is too large")
    }
    return count
  }
}
