/// What elements are that were never written.
struct FillValue: Sendable {
  /// One element as it is stored; nil is all zeros.
  let element: Extent?
  /// Whether reading may count on it. Where not, HDF5 leaves open what is read in place of missing chunks: zeros here.
  let isDefined: Bool

  static let zeros = FillValue(element: nil, isDefined: true)

  /// Reads the fill value message, or the one that older files have.
  static func read(_ header: ObjectHeader, elementSize: Int) throws(HDF5Error) -> FillValue {
    let value: FillValue
    if let message = header.first(.fillValue) {
      value = try read(try message.cursor())
    } else if let message = header.first(.oldFillValue) {
      var cursor = try message.cursor()
      let size = try cursor.count(4)
      value = FillValue(element: size == 0 ? nil : try cursor.extent(size), isDefined: true)
    } else {
      value = .zeros
    }
    guard value.element?.range.count ?? elementSize == elementSize else {
      throw HDF5Error(.malformed, "has a fill value of another size than its elements")
    }
    return value
  }

  private static func read(_ message: Cursor) throws(HDF5Error) -> FillValue {
    var cursor = message
    let version = try cursor.version(1...3)
    let writeTime: UInt8
    let (isDefined, hasValue): (Bool, Bool)
    if version == 3 {
      let flags = try cursor.u8()
      writeTime = flags >> 2 & 3
      isDefined = flags & 0x10 == 0
      hasValue = flags & 0x20 != 0
    } else {
      try cursor.skip(1)
      writeTime = try cursor.u8()
      isDefined = try cursor.u8() != 0
      hasValue = isDefined || version == 1
    }
    // Who never fills (1) leaves open what is read.
    let isReadable = isDefined || writeTime == 1
    guard hasValue else { return FillValue(element: nil, isDefined: isReadable) }
    let size = try cursor.u32()
    // The default value has no size, and an undefined one may have the size −1.
    guard size != 0, size != .max else { return FillValue(element: nil, isDefined: isReadable) }
    return FillValue(element: try cursor.extent(Int(size)), isDefined: isReadable)
  }
}
