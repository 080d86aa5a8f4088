import SepalTensor

/// One chunk that has been written.
struct StoredChunk {
  /// Its number in the grid, row-major.
  let index: Int
  /// Its bytes in the file, after the filters.
  let range: Range<Int>
  /// Bit i: filter i was left out.
  let mask: UInt32
}

/// Finds the stored chunks of a dataset, whatever index it has.
struct ChunkIndex {
  let file: FileBytes
  let layout: ChunkedLayout
  let grid: ChunkGrid
  /// Bytes of a chunk before the filters.
  let chunkBytes: Int
  let isFiltered: Bool

  typealias Body = (StoredChunk) throws(HDF5Error) -> Void

  /// Calls `body` with every stored chunk within the dataset; every chunk once.
  func forEach(_ body: Body) throws(HDF5Error) {
    guard let address = layout.address else { return }
    var claims = Claims(file)
    switch layout.index {
    case .treeV1: try treeV1(address, &claims, body)
    case .single(let filtered):
      guard grid.count == 1 else {
        throw HDF5Error(.malformed, "has a single chunk where \(grid.count) are needed")
      }
      guard isFiltered == (filtered != nil) else { throw disagreement }
      try emit(0, address, filtered?.size ?? chunkBytes, filtered?.mask ?? 0, &claims, body)
    case .implicit:
      guard !isFiltered else { throw disagreement }
      // Every chunk of the largest extent has its place, one after the other.
      let numbering = try grid.fixedNumbering()
      guard let count = numbering.count, let size = TensorType.checkedCount([count], elementSize: chunkBytes)
      else { throw HDF5Error(.malformed, "has more chunks than can be counted") }
      _ = try file.range(at: address, count: size * chunkBytes, of: "chunks")
      for number in 0..<count {
        try emit(numbering.index(number), address + number * chunkBytes, chunkBytes, 0, &claims, body)
      }
    case .fixedArray: try fixedArray(address, &claims, body)
    case .extensibleArray: try extensibleArray(address, &claims, body)
    case .treeV2: try treeV2(address, &claims, body)
    }
  }

  var disagreement: HDF5Error {
    HDF5Error(.malformed, "has a chunk index that disagrees with its filters")
  }

  func emit(
    _ index: Int?, _ address: Int, _ size: Int, _ mask: UInt32, _ claims: inout Claims, _ body: Body
  ) throws(HDF5Error) {
    guard let index else { return }
    let range = try file.range(at: address, count: size, of: "a chunk")
    try claims.claim(range, "a chunk")
    try body(StoredChunk(index: index, range: range, mask: mask))
  }

  private func treeV1(_ address: Int, _ claims: inout Claims, _ body: Body) throws(HDF5Error) {
    // Stored size, filter mask, the first element's place in every dimension and within an element.
    let keySize = 8 + 8 * (grid.shape.count + 1)
    try BTreeV1.forEachChild(file, root: address, .chunk, keySize: keySize, &claims) {
      (key, child, claims) throws(HDF5Error) in
      var key = Cursor(file, key, "a chunk's key")
      let (size, mask) = (Int(try key.u32()), try key.u32())
      let index = try grid.index(ofOrigin: { _ throws(HDF5Error) in try key.count(8) })
      try emit(index, child, size, mask, &claims, body)
    }
  }

  private func treeV2(_ address: Int, _ claims: inout Claims, _ body: Body) throws(HDF5Error) {
    let tree = try BTreeV2(file, at: address, isFiltered ? .filteredChunks : .chunks, &claims)
    let entry = ChunkEntry(size: tree.recordSize - 8 * grid.shape.count, isFiltered, chunkBytes)
    try tree.forEachRecord(&claims) { (record, claims) throws(HDF5Error) in
      var record = record
      let found = try entry.read(&record)
      let index = try grid.index(at: { _ throws(HDF5Error) in try record.count(8) })
      guard let found else { throw record.malformed("of a chunk without an address") }
      try emit(index, found.address, found.size, found.mask, &claims, body)
    }
  }
}

/// What an index stores of one chunk: its address, and with filters, its stored size and filter mask.
struct ChunkEntry {
  /// Bytes of an entry.
  let size: Int
  private let isFiltered: Bool
  private let chunkBytes: Int

  init(size: Int, _ isFiltered: Bool, _ chunkBytes: Int) {
    self.size = size
    self.isFiltered = isFiltered
    self.chunkBytes = chunkBytes
  }

  /// The next entry; nil where the chunk has not been written.
  func read(_ cursor: inout Cursor) throws(HDF5Error) -> (address: Int, size: Int, mask: UInt32)? {
    let sizeWidth = size - cursor.file.offsetSize - (isFiltered ? 4 : 0)
    guard isFiltered ? (1...8).contains(sizeWidth) : sizeWidth == 0 else {
      throw cursor.malformed("with entries of \(size) bytes")
    }
    let address = try cursor.address()
    let stored = isFiltered ? try cursor.count(sizeWidth) : chunkBytes
    let mask = isFiltered ? try cursor.u32() : 0
    return address.map { ($0, stored, mask) }
  }
}
