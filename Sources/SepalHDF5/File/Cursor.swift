import SepalZip

/// Reads little-endian fields of one structure in order; never beyond its range.
struct Cursor {
  let file: FileBytes
  private(set) var position: Int
  let end: Int
  /// What is read, for errors: "an object header".
  let subject: StaticString
  private let bytes: UnsafeRawBufferPointer

  /// `range` lies within the file. The cursor keeps the file alive.
  init(_ file: FileBytes, _ range: Range<Int>, _ subject: StaticString) {
    self.file = file
    self.subject = subject
    position = range.lowerBound
    end = range.upperBound
    bytes = file.bytes(0..<file.count)
  }

  init(_ extent: Extent, _ subject: StaticString) { self.init(extent.file, extent.range, subject) }

  var remaining: Int { end - position }

  /// Everything from here on.
  var rest: Extent { Extent(file: file, range: position..<end) }

  private mutating func advance(_ count: Int) throws(HDF5Error) -> Int {
    guard count >= 0, count <= end - position else { throw cutOff }
    defer { position += count }
    return position
  }

  private var cutOff: HDF5Error { HDF5Error(.malformed, "has \(subject) that is cut off at byte \(end)") }

  func malformed(_ message: String) -> HDF5Error {
    HDF5Error(.malformed, "has \(subject) \(message)")
  }

  func unsupported(_ message: String) -> HDF5Error {
    HDF5Error(.unsupported, "has \(subject) \(message)")
  }

  mutating func skip(_ count: Int) throws(HDF5Error) { _ = try advance(count) }

  /// The range of the next `count` bytes.
  mutating func take(_ count: Int) throws(HDF5Error) -> Range<Int> {
    let start = try advance(count)
    return start..<start + count
  }

  mutating func extent(_ count: Int) throws(HDF5Error) -> Extent {
    Extent(file: file, range: try take(count))
  }

  mutating func u8() throws(HDF5Error) -> UInt8 {
    bytes[try advance(1)]
  }

  mutating func u16() throws(HDF5Error) -> UInt16 {
    UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: try advance(2), as: UInt16.self))
  }

  mutating func u32() throws(HDF5Error) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: try advance(4), as: UInt32.self))
  }

  mutating func u64() throws(HDF5Error) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: try advance(8), as: UInt64.self))
  }

  /// An unsigned number of 0 to 8 bytes.
  mutating func unsigned(_ size: Int) throws(HDF5Error) -> UInt64 {
    switch size {
    case 8: return try u64()
    case 4: return UInt64(try u32())
    case 2: return UInt64(try u16())
    default:
      let start = try advance(size)
      return (0..<size).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
    }
  }

  /// A number of `size` bytes that must be a possible count.
  mutating func count(_ size: Int) throws(HDF5Error) -> Int {
    let value = try unsigned(size)
    guard let count = Int(exactly: value) else { throw malformed("with the impossible number \(value)") }
    return count
  }

  /// A field of the file's length size.
  mutating func length() throws(HDF5Error) -> Int { try count(file.lengthSize) }

  /// An address, or nil where it is undefined (all bits set).
  mutating func address() throws(HDF5Error) -> Int? {
    let value = try unsigned(file.offsetSize)
    if value == UInt64.max >> UInt64(64 - 8 * file.offsetSize) { return nil }
    guard let address = Int(exactly: value) else { throw malformed("with the impossible address \(value)") }
    return address
  }

  /// An address that must be defined.
  mutating func definedAddress() throws(HDF5Error) -> Int {
    guard let address = try address() else { throw malformed("with an undefined address") }
    return address
  }

  mutating func signature(_ expected: StaticString) throws(HDF5Error) {
    let start = try advance(expected.utf8CodeUnitCount)
    let wanted = UnsafeBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount)
    guard bytes[start..<position].elementsEqual(wanted) else {
      throw malformed("at \(start) that does not start with \(expected)")
    }
  }

  mutating func version(_ supported: ClosedRange<UInt8>) throws(HDF5Error) -> UInt8 {
    let version = try u8()
    guard supported.contains(version) else { throw unsupported("of version \(version)") }
    return version
  }

  /// Text of `count` bytes, up to a null. Invalid UTF-8 is repaired.
  mutating func name(_ count: Int) throws(HDF5Error) -> String {
    let bytes = file.bytes(try take(count))
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Reads on from another place in the structure.
  mutating func move(to position: Int) throws(HDF5Error) {
    guard position >= 0, position <= end else { throw cutOff }
    self.position = position
  }

  /// Checks the checksum that follows the bytes from `start` to here.
  mutating func verifyChecksum(from start: Int) throws(HDF5Error) {
    let computed = lookup3(file.bytes(start..<position))
    let stored = try u32()
    guard Checksum.matches(computed, stored) else { throw malformed("at \(start) whose checksum is wrong") }
  }
}
