/// What elements are that were never written: nil is all zeros.
enum FillValue {
  static func read(
    _ file: FileBytes, _ header: ObjectHeader, elementSize: Int
  ) throws(HDF5Error) -> Range<Int>? {
    let value: Range<Int>?
    if let message = header.first(.fillValue) {
      value = try read(try message.cursor(file, "a fill value"))
    } else if let message = header.first(.oldFillValue) {
      var cursor = try message.cursor(file, "a fill value")
      let size = try cursor.count(4)
      value = size == 0 ? nil : try cursor.take(size)
    } else {
      value = nil
    }
    guard value?.count ?? elementSize == elementSize else {
      throw HDF5Error(.malformed, "has a fill value of another size than its elements")
    }
    return value
  }

  /// An undefined fill value leaves open what unwritten elements are; they are read as zeros.
  private static func read(_ message: Cursor) throws(HDF5Error) -> Range<Int>? {
    var cursor = message
    let version = try cursor.version(1...3)
    if version == 3 {
      guard try cursor.u8() & 0x20 != 0 else { return nil }
    } else {
      try cursor.skip(2)
      let isDefined = try cursor.u8() != 0
      guard isDefined || version == 1 else { return nil }
    }
    let size = try cursor.u32()
    // An undefined value has no size, or the size −1.
    guard size != 0, size != .max else { return nil }
    return try cursor.take(Int(size))
  }
}
