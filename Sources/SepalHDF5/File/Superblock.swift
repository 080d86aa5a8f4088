import SepalTensor

/// Where everything starts: the sizes of fields and the root group.
struct Superblock {
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  let file: FileBytes
  /// The object header of the root group.
  let root: Int
  /// Where messages are that several objects share.
  let sharedMessages: SharedMessages

  /// Where the superblock is: at 0, or behind a user block of 512, 1024, 2048… bytes.
  static func find(in bytes: UnsafeRawBufferPointer) -> Int? {
    var offset = 0
    while bytes.count - offset >= signature.count {
      if bytes[offset...].starts(with: signature) { return offset }
      let (next, overflow) = max(256, offset).multipliedReportingOverflow(by: 2)
      if overflow { return nil }
      offset = next
    }
    return nil
  }

  init(_ storage: TensorStorage, _ range: Range<Int>) throws(HDF5Error) {
    let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[range])
    guard let start = Self.find(in: bytes) else { throw HDF5Error(.malformed, "is not an HDF5 file") }
    let whole = range.lowerBound + start..<range.upperBound
    let provisional = FileBytes(storage, whole, offsetSize: 8, lengthSize: 8)
    var cursor = Cursor(provisional, 0..<provisional.count, "a superblock")
    try cursor.skip(Self.signature.count)
    let version = try cursor.version(0...3)
    if version < 2 { try cursor.skip(4) }
    let (offsetSize, lengthSize) = (Int(try cursor.u8()), Int(try cursor.u8()))
    guard [2, 4, 8].contains(offsetSize), [2, 4, 8].contains(lengthSize) else {
      throw cursor.unsupported("with addresses of \(offsetSize) bytes and lengths of \(lengthSize)")
    }
    file = FileBytes(storage, whole, offsetSize: offsetSize, lengthSize: lengthSize)
    let next = cursor.position
    cursor = Cursor(file, next..<file.count, "a superblock")
    let userBlock = start
    let `extension`: Int?
    (root, `extension`) =
      try version < 2 ? (Self.readOld(&cursor, version, userBlock), nil) : Self.readNew(&cursor, userBlock)
    let table = try `extension`.map { (address) throws(HDF5Error) in
      try Self.readExtension(cursor.file, address)
    }
    sharedMessages = SharedMessages(file, table ?? SharedMessageTable())
  }

  /// Versions 0 and 1, from the size of lengths on.
  private static func readOld(
    _ cursor: inout Cursor, _ version: UInt8, _ userBlock: Int
  ) throws(HDF5Error) -> Int {
    // Reserved byte, two tree sizes, consistency flags; version 1 adds another tree size.
    try cursor.skip(1 + 4 + 4 + (version == 1 ? 4 : 0))
    _ = try cursor.address()
    _ = try cursor.address()
    try checkEnd(&cursor, userBlock)
    guard try cursor.address() == nil else { throw cursor.unsupported("that spreads over several files") }
    // The root's entry begins with the offset of its name, a length as in symbol tables.
    try cursor.skip(cursor.file.lengthSize)
    return try cursor.definedAddress()
  }

  /// Versions 2 and 3, from the consistency flags on.
  private static func readNew(
    _ cursor: inout Cursor, _ userBlock: Int
  ) throws(HDF5Error) -> (root: Int, extension: Int?) {
    let flags = try cursor.u8()
    _ = try cursor.address()
    let `extension` = try cursor.address()
    try checkEnd(&cursor, userBlock)
    let root = try cursor.definedAddress()
    try cursor.verifyChecksum(from: 0)
    guard flags & 0b101 == 0 else { throw cursor.malformed("of a file that its writer has not closed") }
    return (root, `extension`)
  }

  /// The end of the file counts from before the user block.
  private static func checkEnd(_ cursor: inout Cursor, _ userBlock: Int) throws(HDF5Error) {
    let (end, count) = (try cursor.definedAddress(), cursor.file.count + userBlock)
    guard end <= count else { throw HDF5Error(.malformed, "is cut off: \(count) of \(end) bytes are there") }
  }

  private static func readExtension(
    _ file: FileBytes, _ address: Int
  ) throws(HDF5Error) -> SharedMessageTable {
    var (claims, shared) = (Claims(file), SharedMessages(file, SharedMessageTable()))
    let header = try ObjectHeader(file, at: address, &claims, &shared)
    if header.first(.driverInfo) != nil {
      throw HDF5Error(.unsupported, "spreads over several files (driver information)")
    }
    if header.first(.cacheImage) != nil {
      throw HDF5Error(.unsupported, "keeps its metadata in a cache image")
    }
    return try header.first(.sharedMessageTable).map { (message) throws(HDF5Error) in
      try SharedMessageTable(try message.cursor())
    } ?? SharedMessageTable()
  }
}
