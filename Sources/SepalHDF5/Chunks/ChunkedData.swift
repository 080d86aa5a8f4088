/// The elements of a chunked dataset.
struct ChunkedData: Sendable {
  private let file: FileBytes
  private let layout: ChunkedLayout
  private let grid: ChunkGrid
  private let pipeline: FilterPipeline
  private let elementSize: Int
  private let chunkBytes: Int

  init(
    _ file: FileBytes, _ layout: ChunkedLayout, _ pipeline: FilterPipeline, _ dataspace: Dataspace,
    elementSize: Int
  ) throws(HDF5Error) {
    guard layout.elementSize == elementSize else {
      throw HDF5Error(
        .malformed, "has chunks of \(layout.elementSize)-byte elements, expected \(elementSize)")
    }
    var size = elementSize
    for dim in layout.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: dim)
      guard !overflow, product <= Int(UInt32.max) else {
        throw HDF5Error(.malformed, "has chunks of more than 4 GiB")
      }
      size = product
    }
    self.file = file
    self.layout = layout
    self.pipeline = pipeline
    self.elementSize = elementSize
    grid = try ChunkGrid(dataspace, chunk: layout.shape)
    chunkBytes = size
  }

  private var index: ChunkIndex {
    ChunkIndex(
      file: file, layout: layout, grid: grid, chunkBytes: chunkBytes, isFiltered: !pipeline.filters.isEmpty)
  }

  /// The bytes that are stored for all chunks together, and whether every chunk is there.
  func survey() throws(HDF5Error) -> (storedBytes: Int, isComplete: Bool) {
    var (bytes, count) = (0, 0)
    try index.forEach { (chunk) throws(HDF5Error) in
      bytes += chunk.range.count
      count += 1
    }
    return (bytes, count == grid.count)
  }

  /// Writes every stored chunk to its place; the rest of `target`, a row-major array, is left alone.
  func read(into target: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
    var decoder = FilterDecoder(pipeline, "a chunk")
    var copier = ChunkCopier(grid, elementSize: elementSize)
    var seen = [UInt64](repeating: 0, count: (grid.count + 63) / 64)
    try index.forEach { (chunk) throws(HDF5Error) in
      guard seen[chunk.index / 64] >> UInt64(chunk.index % 64) & 1 == 0 else {
        throw HDF5Error(.malformed, "has a chunk twice")
      }
      seen[chunk.index / 64] |= 1 << UInt64(chunk.index % 64)
      copier.place(chunk.index)
      let stored = file.bytes(chunk.range)
      let mask = layout.hasPlainEdges && copier.isPartial ? UInt32.max : chunk.mask
      if let place = copier.wholePlace {
        let range = place..<place + chunkBytes
        try decoder.decode(stored, mask: mask, into: UnsafeMutableRawBufferPointer(rebasing: target[range]))
      } else {
        copier.copy(try decoder.decoded(stored, mask: mask, size: chunkBytes), to: target)
      }
    }
  }
}
