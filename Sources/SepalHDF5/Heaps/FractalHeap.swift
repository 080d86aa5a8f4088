import SepalTensor
import SepalZip

/// The heap of dense links, dense attributes and shared messages: objects in blocks whose sizes double from row to row.
///
/// Blocks are checked, and inflated if need be, when the first object in them is asked for.
final class FractalHeap {
  private let file: FileBytes
  private let address: Int
  /// Bytes of an object's identifier.
  let idSize: Int
  private let hasBlockChecksums: Bool
  private let table: DoublingTable
  /// Bytes of an offset and of a length in an identifier.
  private let offsetSize: Int
  private let lengthSize: Int
  private let root: BlockPlace?
  /// Rows of the root indirect block; 0 where the root is a direct block.
  private let rootRows: Int
  private let pipeline: FilterPipeline?
  private let huge: HugeObjects
  private var indirectBlocks: Set<Int> = []
  private var directBlocks: [Int: Extent] = [:]
  private var inflatedBytes = 0

  /// A block as its parent refers to it.
  private struct BlockPlace {
    var address: Int
    /// With filters, of direct blocks only: the stored size and the filters that were left out.
    var filtered: (size: Int, mask: UInt32)?
  }

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
    let hugeIndex = try cursor.address()
    // Free space: amount and manager. Then statistics: four of managed objects, two each of huge and tiny ones.
    try cursor.skip(file.lengthSize + file.offsetSize + 8 * file.lengthSize)
    table = try DoublingTable(&cursor)
    let rootAddress = try cursor.address()
    rootRows = Int(try cursor.u16())
    if filterSize > 0 {
      let filtered = (size: try cursor.length(), mask: try cursor.u32())
      root = rootAddress.map { BlockPlace(address: $0, filtered: filtered) }
      pipeline = try FilterPipeline(Cursor(try cursor.extent(filterSize), "a filter pipeline"))
    } else {
      root = rootAddress.map { BlockPlace(address: $0, filtered: nil) }
      pipeline = nil
    }
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "a fractal heap")
    // Links are named by 7 bytes, everything else by 8; beyond 17, small objects would be stored another way.
    guard rootRows <= table.maximumRows, (1...17).contains(idSize) else {
      throw cursor.malformed("of impossible sizes")
    }
    offsetSize = (table.indexBits + 7) / 8
    lengthSize = min((table.maximumDirectBits + 7) / 8, encodedSize(maximumObject))
    huge = HugeObjects(file, index: hugeIndex, idSize: idSize, pipeline)
  }

  /// The object that the identifier `id` names. Its own bytes are not claimed: messages are shared.
  func object(_ id: Extent, _ claims: inout Claims) throws(HDF5Error) -> Extent {
    var cursor = Cursor(id, "a heap identifier")
    let flags = try cursor.u8()
    guard flags >> 6 == 0 else { throw cursor.unsupported("of version \(flags >> 6)") }
    switch flags >> 4 & 3 {
    case 0:
      let offset = try cursor.count(offsetSize)
      return try managed(offset: offset, count: try cursor.count(lengthSize), &claims)
    case 1: return try huge.object(&cursor, &claims)
    // An object in the identifier itself.
    case 2: return try cursor.extent(Int(flags & 0x0F) + 1)
    default: throw cursor.malformed("of an unknown kind")
    }
  }

  /// An object in a direct block, found by its offset in the heap's own address space.
  private func managed(
    offset: Int, count: Int, _ claims: inout Claims
  ) throws(HDF5Error) -> Extent {
    guard var place = root else { throw HDF5Error(.malformed, "has a fractal heap without a root block") }
    var (start, size, rows) = (0, table.startingSize, rootRows)
    while rows > 0 {
      guard let entry = table.entry(of: offset - start), entry.row < rows else {
        throw HDF5Error(.malformed, "has a heap identifier outside of its heap")
      }
      place = try child(of: place.address, at: start, rows: rows, entry, &claims)
      start += entry.offset
      size = entry.size
      rows = entry.row < table.directRows ? 0 : table.rows(ofSize: size)
    }
    let block = try direct(place, size: size, start: start, &claims)
    let first = block.range.lowerBound + (offset - start)
    guard offset - start <= size, count <= block.range.upperBound - first else {
      throw HDF5Error(.malformed, "has a heap object that leaves its block")
    }
    return Extent(file: block.file, range: first..<first + count)
  }

  /// A child of the indirect block at `block`: addresses of direct blocks, then of further indirect blocks.
  private func child(
    of block: Int, at start: Int, rows: Int, _ entry: DoublingTable.Entry, _ claims: inout Claims
  ) throws(HDF5Error) -> BlockPlace {
    var cursor = try file.cursor(at: block, of: "a fractal heap's indirect block")
    let directSize = file.offsetSize + (pipeline == nil ? 0 : file.lengthSize + 4)
    let directRows = min(rows, table.directRows)
    if !indirectBlocks.contains(block) {
      try verifyPrefix(&cursor, "FHIB", start: start)
      try cursor.skip(table.width * (directRows * directSize + (rows - directRows) * file.offsetSize))
      try cursor.verifyChecksum(from: block)
      try claims.claim(block..<cursor.position, "a fractal heap's indirect block")
      indirectBlocks.insert(block)
    }
    let entries = block + 5 + file.offsetSize + offsetSize
    let isDirect = entry.row < directRows
    let rowsBefore = min(entry.row, directRows)
    try cursor.move(
      to: entries + table.width * (rowsBefore * directSize + (entry.row - rowsBefore) * file.offsetSize)
        + entry.column * (isDirect ? directSize : file.offsetSize))
    let address = try cursor.definedAddress()
    guard isDirect, pipeline != nil else { return BlockPlace(address: address, filtered: nil) }
    return BlockPlace(address: address, filtered: (try cursor.length(), try cursor.u32()))
  }

  /// The bytes of a direct block, checked.
  private func direct(
    _ place: BlockPlace, size: Int, start: Int, _ claims: inout Claims
  ) throws(HDF5Error) -> Extent {
    if let block = directBlocks[place.address] { return block }
    let stored = try file.range(
      at: place.address, count: place.filtered?.size ?? size, of: "a fractal heap's block")
    try claims.claim(stored, "a fractal heap's block")
    var block = Extent(file: file, range: stored)
    if let pipeline, let mask = place.filtered?.mask {
      block = try inflate(block, pipeline, mask: mask, size: size, &inflatedBytes)
    }
    var cursor = Cursor(block, "a fractal heap's block")
    try verifyPrefix(&cursor, "FHDB", start: start)
    if hasBlockChecksums {
      // Computed over the whole block with zero in the checksum's own place.
      var copy = [UInt8](block.bytes)
      let checksum = cursor.position - block.range.lowerBound
      let expected = try cursor.u32()
      copy.replaceSubrange(checksum..<checksum + 4, with: [0, 0, 0, 0])
      guard Checksum.matches(copy.withUnsafeBytes({ lookup3($0) }), expected) else {
        throw cursor.malformed("at \(place.address) whose checksum is wrong")
      }
    }
    directBlocks[place.address] = block
    return block
  }

  private func verifyPrefix(
    _ cursor: inout Cursor, _ signature: StaticString, start: Int
  ) throws(HDF5Error) {
    try cursor.signature(signature)
    _ = try cursor.version(0...0)
    guard try cursor.definedAddress() == address, try cursor.count(offsetSize) == start else {
      throw cursor.malformed("that belongs elsewhere")
    }
  }
}

/// Undoes the filters of a part of a heap. `total` counts what one heap inflates to.
func inflate(
  _ stored: Extent, _ pipeline: FilterPipeline, mask: UInt32, size: Int, _ total: inout Int
) throws(HDF5Error) -> Extent {
  let (sum, overflow) = total.addingReportingOverflow(size)
  guard !overflow, sum <= maximumInflatedHeap else {
    throw HDF5Error(
      .unsupported, "has a fractal heap that inflates to more than \(maximumInflatedHeap) bytes")
  }
  total = sum
  var decoder = FilterDecoder(pipeline, "a fractal heap's block")
  try decoder.check(size, standsFor: stored.range.count)
  let storage = try TensorStorage(byteCount: size) { (bytes) throws(HDF5Error) in
    try decoder.decode(stored.bytes, mask: mask, into: bytes)
  }
  let file = FileBytes(
    storage, 0..<size, offsetSize: stored.file.offsetSize, lengthSize: stored.file.lengthSize)
  return Extent(file: file, range: 0..<size)
}

private let maximumInflatedHeap = 64 << 20
