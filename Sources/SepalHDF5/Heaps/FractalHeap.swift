/// The heap of dense links and attributes: objects in blocks whose sizes double from row to row.
struct FractalHeap {
  private let file: FileBytes
  private let address: Int
  /// Bytes of an object's identifier.
  let idSize: Int
  private let hasBlockChecksums: Bool
  private let table: DoublingTable
  /// Bytes of an offset and of a length in an identifier.
  private let offsetSize: Int
  private let lengthSize: Int
  private let root: Int?
  /// Rows of the root indirect block; 0 where the root is a direct block.
  private let rootRows: Int
  private let hugeIndex: Int?
  /// Huge objects that identifiers name by number; read when the first is asked for.
  private var hugeObjects: [UInt64: Range<Int>]?
  /// Blocks whose signature and checksum have been looked at.
  private var verified: Set<Int> = []

  init(_ file: FileBytes, at address: Int, _ claims: inout Claims) throws(HDF5Error) {
    self.file = file
    self.address = address
    var cursor = try file.cursor(at: address, of: "a fractal heap")
    try cursor.signature("FRHP")
    _ = try cursor.version(0...0)
    idSize = Int(try cursor.u16())
    let filterSize = Int(try cursor.u16())
    let flags = try cursor.u8()
    hasBlockChecksums = flags & 0x02 != 0
    let maximumObject = try cursor.count(4)
    _ = try cursor.unsigned(file.lengthSize)
    hugeIndex = try cursor.address()
    // Free space: amount and manager. Then statistics: four of managed objects, two each of huge and tiny ones.
    try cursor.skip(file.lengthSize + file.offsetSize + 8 * file.lengthSize)
    table = try DoublingTable(&cursor)
    root = try cursor.address()
    rootRows = Int(try cursor.u16())
    guard filterSize == 0 else { throw cursor.unsupported("with filters") }
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "a fractal heap")
    // Links are named by 7 bytes, attributes by 8; beyond 17, small objects would be stored another way.
    guard rootRows <= table.maximumRows, (1...17).contains(idSize) else {
      throw cursor.malformed("of impossible sizes")
    }
    offsetSize = (table.indexBits + 7) / 8
    lengthSize = min((table.maximumDirectBits + 7) / 8, encodedSize(maximumObject))
  }

  /// Where the object is that the identifier at `id` names.
  mutating func object(_ id: Range<Int>, _ claims: inout Claims) throws(HDF5Error) -> Range<Int> {
    var cursor = Cursor(file, id, "a heap identifier")
    let flags = try cursor.u8()
    guard flags >> 6 == 0 else { throw cursor.unsupported("of version \(flags >> 6)") }
    let object: Range<Int>
    switch flags >> 4 & 3 {
    case 0:
      let offset = try cursor.count(offsetSize)
      object = try managed(offset: offset, count: try cursor.count(lengthSize), &claims)
    case 1: object = try huge(&cursor, &claims)
    case 2: object = try tiny(&cursor, flags)
    default: throw cursor.malformed("of an unknown kind")
    }
    try claims.claim(byteCount: object.count, "a heap object")
    return object
  }

  /// An object in the identifier itself.
  private func tiny(_ cursor: inout Cursor, _ flags: UInt8) throws(HDF5Error) -> Range<Int> {
    try cursor.take(Int(flags & 0x0F) + 1)
  }

  private mutating func huge(
    _ cursor: inout Cursor, _ claims: inout Claims
  ) throws(HDF5Error) -> Range<Int> {
    if idSize - 1 >= file.offsetSize + file.lengthSize {
      let start = try cursor.definedAddress()
      return try file.range(at: start, count: try cursor.length(), of: "a huge heap object")
    }
    if hugeObjects == nil { hugeObjects = try readHugeObjects(&claims) }
    let number = try cursor.unsigned(min(idSize - 1, 8))
    guard let object = hugeObjects?[number] else {
      throw cursor.malformed("of a huge object that is not there")
    }
    return object
  }

  private func readHugeObjects(_ claims: inout Claims) throws(HDF5Error) -> [UInt64: Range<Int>] {
    guard let hugeIndex else { return [:] }
    var objects: [UInt64: Range<Int>] = [:]
    try BTreeV2(file, at: hugeIndex, .hugeObjects, &claims).forEachRecord(&claims) {
      (record, _) throws(HDF5Error) in
      var record = record
      let start = try record.definedAddress()
      let object = try file.range(at: start, count: try record.length(), of: "a huge heap object")
      objects[try record.unsigned(file.lengthSize)] = object
    }
    return objects
  }

  /// An object in a direct block, found by its offset in the heap's own address space.
  private mutating func managed(
    offset: Int, count: Int, _ claims: inout Claims
  ) throws(HDF5Error) -> Range<Int> {
    guard var block = root else { throw HDF5Error(.malformed, "has a fractal heap without a root block") }
    var (start, size, rows) = (0, table.startingSize, rootRows)
    while rows > 0 {
      guard let entry = table.entry(of: offset - start), entry.row < rows else {
        throw HDF5Error(.malformed, "has a heap identifier outside of its heap")
      }
      block = try child(of: block, at: start, rows: rows, entry, &claims)
      start += entry.offset
      size = entry.size
      rows = entry.row < table.directRows ? 0 : table.rows(ofSize: size)
    }
    try verifyDirect(block, size: size, start: start, &claims)
    guard offset - start <= size, count <= size - (offset - start) else {
      throw HDF5Error(.malformed, "has a heap object that leaves its block")
    }
    return block + (offset - start)..<block + (offset - start) + count
  }

  /// The address of a child of the indirect block at `block`.
  private mutating func child(
    of block: Int, at start: Int, rows: Int, _ entry: DoublingTable.Entry, _ claims: inout Claims
  ) throws(HDF5Error) -> Int {
    var cursor = try file.cursor(at: block, of: "a fractal heap's indirect block")
    if !verified.contains(block) {
      try verifyPrefix(&cursor, "FHIB", start: start)
      try cursor.skip(rows * table.width * file.offsetSize)
      try cursor.verifyChecksum(from: block)
      try claims.claim(block..<cursor.position, "a fractal heap's indirect block")
      verified.insert(block)
    }
    let entries = block + 5 + file.offsetSize + offsetSize
    try cursor.move(to: entries + (entry.row * table.width + entry.column) * file.offsetSize)
    return try cursor.definedAddress()
  }

  private mutating func verifyDirect(
    _ block: Int, size: Int, start: Int, _ claims: inout Claims
  ) throws(HDF5Error) {
    guard !verified.contains(block) else { return }
    let range = try file.range(at: block, count: size, of: "a fractal heap's block")
    try claims.claim(range, "a fractal heap's block")
    var cursor = Cursor(file, range, "a fractal heap's block")
    try verifyPrefix(&cursor, "FHDB", start: start)
    if hasBlockChecksums {
      // Computed over the whole block with zero in the checksum's own place.
      var copy = [UInt8](file.bytes(range))
      let place = cursor.position - block
      let stored = try cursor.u32()
      copy.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
      guard copy.withUnsafeBytes({ lookup3($0) }) == stored else {
        throw cursor.malformed("at \(block) whose checksum is wrong")
      }
    }
    verified.insert(block)
  }

  private func verifyPrefix(
    _ cursor: inout Cursor, _ signature: StaticString, start: Int
  ) throws(HDF5Error) {
    let block = cursor.position
    try cursor.signature(signature)
    _ = try cursor.version(0...0)
    guard try cursor.definedAddress() == address, try cursor.count(offsetSize) == start else {
      throw cursor.malformed("at \(block) that belongs elsewhere")
    }
  }
}
