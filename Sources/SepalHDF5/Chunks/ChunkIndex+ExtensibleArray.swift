extension ChunkIndex {
  /// Entries in an index block, then in data blocks that grow: the blocks of super block i hold
  /// `minimum · 2^((i + 1) / 2)` entries, and it has `2^(i / 2)` of them. The first super blocks' blocks are
  /// listed in the index block itself.
  func extensibleArray(_ address: Int, _ claims: inout Claims, _ body: Body) throws(HDF5Error) {
    let array = try ExtensibleArray(self, at: address, &claims)
    guard let block = array.indexBlock else { return }
    var cursor = try file.cursor(at: block, of: "an extensible array's index block")
    try array.readPrefix(&cursor, "EAIB", place: nil)
    var entries = cursor
    try cursor.skip(array.indexEntries * array.entry.size)
    var addresses = cursor
    let direct = array.directSuperBlocks
    let blockCount = (0..<direct).reduce(0) { $0 + array.blockCount($1) }
    let superBlocks = max(0, array.superBlocks - direct)
    try cursor.skip((blockCount + superBlocks) * file.offsetSize)
    try cursor.verifyChecksum(from: block)
    try claims.claim(block..<cursor.position, "an extensible array's index block")

    for number in 0..<array.indexEntries {
      guard let chunk = try array.entry.read(&entries) else { continue }
      try emit(array.numbering.index(number), chunk.address, chunk.size, chunk.mask, &claims, body)
    }
    var (first, blockNumber) = (array.indexEntries, 0)
    for level in 0..<array.superBlocks {
      if level < direct {
        for _ in 0..<array.blockCount(level) {
          if let block = try addresses.address() {
            let place = array.offset(level) + blockNumber * array.blockEntries(level)
            try dataBlock(array, block, level, first: first, place: place, pages: nil, &claims, body)
          }
          blockNumber += 1
          first += array.blockEntries(level)
        }
      } else {
        if let block = try addresses.address() {
          try superBlock(array, block, level, first: first, &claims, body)
        }
        first += array.blockCount(level) * array.blockEntries(level)
      }
    }
  }

  private func superBlock(
    _ array: ExtensibleArray, _ block: Int, _ level: Int, first: Int, _ claims: inout Claims, _ body: Body
  ) throws(HDF5Error) {
    var cursor = try file.cursor(at: block, of: "an extensible array's super block")
    try array.readPrefix(&cursor, "EASB", place: array.offset(level))
    let count = array.blockCount(level)
    // The bits of all blocks' pages follow one another, in the room of whole bytes per block.
    let pages = array.pages(level) ?? 0
    let bits = PageBits(file.bytes(try cursor.take(count * ((pages + 7) / 8))))
    var addresses = Cursor(file, try cursor.take(count * file.offsetSize), cursor.subject)
    try cursor.verifyChecksum(from: block)
    try claims.claim(block..<cursor.position, "an extensible array's super block")
    for number in 0..<count {
      guard let address = try addresses.address() else { continue }
      let entries = number * array.blockEntries(level)
      try dataBlock(
        array, address, level, first: first + entries, place: array.offset(level) + entries,
        pages: (bits, number * pages), &claims, body)
    }
  }

  private func dataBlock(
    _ array: ExtensibleArray, _ block: Int, _ level: Int, first: Int, place: Int,
    pages: (bits: PageBits, first: Int)?, _ claims: inout Claims, _ body: Body
  ) throws(HDF5Error) {
    var cursor = try file.cursor(at: block, of: "an extensible array's block")
    try array.readPrefix(&cursor, "EADB", place: place)
    let count = array.blockEntries(level)
    guard let pageCount = array.pages(level) else {
      try readEntries(
        &cursor, count, array.entry, from: block, first: first, array.numbering, &claims, body)
      return
    }
    guard let pages else { throw cursor.malformed("with pages in its index block") }
    try cursor.verifyChecksum(from: block)
    try claims.claim(block..<cursor.position, "an extensible array's block")
    for page in 0..<pageCount {
      if pages.bits[pages.first + page] {
        try readEntries(
          &cursor, array.pageEntries, array.entry, from: cursor.position,
          first: first + page * array.pageEntries, array.numbering, &claims, body)
      } else {
        try cursor.skip(array.pageEntries * array.entry.size + 4)
      }
    }
  }
}

/// The header of an extensible array, and the sizes that follow from it.
private struct ExtensibleArray {
  let entry: ChunkEntry
  let numbering: ChunkGrid.Numbering
  let indexBlock: Int?
  /// Entries in the index block itself.
  let indexEntries: Int
  let pageEntries: Int
  let superBlocks: Int
  /// Super blocks whose data blocks are listed in the index block.
  let directSuperBlocks: Int
  private let address: Int
  private let isFiltered: Bool
  private let offsetSize: Int
  private let minimumEntries: Int

  init(_ index: ChunkIndex, at address: Int, _ claims: inout Claims) throws(HDF5Error) {
    let file = index.file
    self.address = address
    isFiltered = index.isFiltered
    var cursor = try file.cursor(at: address, of: "an extensible array")
    try cursor.signature("EAHD")
    _ = try cursor.version(0...0)
    guard try cursor.u8() == (isFiltered ? 1 : 0) else { throw index.disagreement }
    entry = ChunkEntry(size: Int(try cursor.u8()), isFiltered, index.chunkBytes)
    let indexBits = Int(try cursor.u8())
    indexEntries = Int(try cursor.u8())
    minimumEntries = Int(try cursor.u8())
    let minimumPointers = Int(try cursor.u8())
    let pageBits = Int(try cursor.u8())
    // Statistics.
    try cursor.skip(6 * file.lengthSize)
    indexBlock = try cursor.address()
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "an extensible array")
    guard (1...56).contains(indexBits), minimumEntries.nonzeroBitCount == 1,
      minimumEntries.trailingZeroBitCount <= indexBits,
      minimumPointers > 1, minimumPointers.nonzeroBitCount == 1, pageBits < 32
    else { throw cursor.malformed("of impossible sizes") }
    offsetSize = (indexBits + 7) / 8
    pageEntries = 1 << pageBits
    superBlocks = 1 + indexBits - minimumEntries.trailingZeroBitCount
    directSuperBlocks = min(2 * minimumPointers.trailingZeroBitCount, superBlocks)
    numbering = try index.grid.extensibleNumbering()
  }

  func blockCount(_ level: Int) -> Int { 1 << (level / 2) }

  func blockEntries(_ level: Int) -> Int { minimumEntries << ((level + 1) / 2) }

  /// Pages of a data block; nil where it has none.
  func pages(_ level: Int) -> Int? {
    blockEntries(level) > pageEntries ? blockEntries(level) / pageEntries : nil
  }

  /// The first entry of a super block, not counting those of the index block.
  func offset(_ level: Int) -> Int { minimumEntries << level - minimumEntries }

  /// Reads what every block starts with. `place` is where the writer counts it to be; index blocks have none. Of data
  /// blocks that the index block lists, that is not their first entry: their number among all of them is counted in
  /// blocks of their own size.
  func readPrefix(_ cursor: inout Cursor, _ signature: StaticString, place: Int?) throws(HDF5Error) {
    try cursor.signature(signature)
    _ = try cursor.version(0...0)
    guard try cursor.u8() == (isFiltered ? 1 : 0), try cursor.address() == address,
      try place.map({ (place) throws(HDF5Error) in try cursor.count(offsetSize) == place }) ?? true
    else { throw cursor.malformed("that belongs elsewhere") }
  }
}
