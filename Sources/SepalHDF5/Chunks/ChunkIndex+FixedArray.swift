extension ChunkIndex {
  /// One entry per chunk of the largest extent; many entries are divided into pages.
  func fixedArray(_ address: Int, _ claims: inout Claims, _ body: Body) throws(HDF5Error) {
    var cursor = try file.cursor(at: address, of: "a fixed array")
    try cursor.signature("FAHD")
    _ = try cursor.version(0...0)
    guard try cursor.u8() == (isFiltered ? 1 : 0) else { throw disagreement }
    let entry = ChunkEntry(size: Int(try cursor.u8()), isFiltered, chunkBytes)
    let pageBits = Int(try cursor.u8())
    let count = try cursor.length()
    let block = try cursor.address()
    try cursor.verifyChecksum(from: address)
    try claims.claim(address..<cursor.position, "a fixed array")
    let numbering = try grid.fixedNumbering()
    guard count == numbering.count, pageBits < 32 else { throw cursor.malformed("of impossible sizes") }
    guard let block else { return }

    cursor = try file.cursor(at: block, of: "a fixed array's block")
    try cursor.signature("FADB")
    _ = try cursor.version(0...0)
    guard try cursor.u8() == (isFiltered ? 1 : 0), try cursor.address() == address else {
      throw cursor.malformed("that belongs elsewhere")
    }
    let pageCount = 1 << pageBits
    if count <= pageCount {
      try readEntries(&cursor, count, entry, from: block, first: 0, numbering, &claims, body)
      return
    }
    let bits = try cursor.take((count - 1) / pageCount / 8 + 1)
    try cursor.verifyChecksum(from: block)
    try claims.claim(block..<cursor.position, "a fixed array's block")
    let isWritten = PageBits(file.bytes(bits))
    for (page, first) in stride(from: 0, to: count, by: pageCount).enumerated() {
      let length = min(pageCount, count - first)
      if isWritten[page] {
        try readEntries(&cursor, length, entry, from: cursor.position, first: first, numbering, &claims, body)
      } else {
        try cursor.skip(length * entry.size + 4)
      }
    }
  }

  /// Reads `count` entries and the checksum over them and what is before them from `start`.
  func readEntries(
    _ cursor: inout Cursor, _ count: Int, _ entry: ChunkEntry, from start: Int, first: Int,
    _ numbering: ChunkGrid.Numbering, _ claims: inout Claims, _ body: Body
  ) throws(HDF5Error) {
    let (size, overflow) = count.multipliedReportingOverflow(by: entry.size)
    guard !overflow else { throw cursor.malformed("of impossible sizes") }
    var entries = Cursor(file, try cursor.take(size), cursor.subject)
    try cursor.verifyChecksum(from: start)
    try claims.claim(start..<cursor.position, cursor.subject)
    for number in first..<first + count {
      guard let chunk = try entry.read(&entries) else { continue }
      try emit(numbering.index(number), chunk.address, chunk.size, chunk.mask, &claims, body)
    }
  }
}

/// Which pages have been written: one bit each, the highest of a byte first.
struct PageBits {
  private let bytes: UnsafeRawBufferPointer

  /// `bytes` stay valid while this is used.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  subscript(page: Int) -> Bool { bytes[page / 8] & (0x80 >> UInt8(page % 8)) != 0 }
}
