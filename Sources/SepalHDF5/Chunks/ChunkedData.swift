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
    var decoder = ChunkDecoder(pipeline)
    var copier = ChunkCopier(grid, elementSize: elementSize)
    var seen = [UInt64](repeating: 0, count: (grid.count + 63) / 64)
    var whole: [UInt8] = []
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
      } else if pipeline.filters.isEmpty {
        guard stored.count == chunkBytes else {
          throw HDF5Error(.malformed, "has a chunk of \(stored.count) bytes, expected \(chunkBytes)")
        }
        copier.copy(stored, to: target)
      } else {
        guard chunkBytes / maximumInflation <= stored.count else {
          throw HDF5Error(
            .malformed, "has a chunk of \(stored.count) bytes that cannot stand for \(chunkBytes)")
        }
        if whole.isEmpty { whole = [UInt8](repeating: 0, count: chunkBytes) }
        let failure: HDF5Error? = whole.withUnsafeMutableBytes { bytes in
          do throws(HDF5Error) {
            try decoder.decode(stored, mask: mask, into: bytes)
            copier.copy(UnsafeRawBufferPointer(bytes), to: target)
            return nil
          } catch { return error }
        }
        if let failure { throw failure }
      }
    }
  }
}

/// Copies a chunk to its box in the dataset, in runs as long as both have them.
struct ChunkCopier {
  private let grid: ChunkGrid
  private let elementSize: Int
  /// Elements that one step along an axis skips, in the dataset and in a chunk.
  private let targetSteps: [Int]
  private let sourceSteps: [Int]
  /// The box: what of the current chunk is inside of the dataset.
  private var extent: [Int]
  private var place = 0
  /// The first axis whose box is one run.
  private var runAxis = 0
  private var position: [Int]

  init(_ grid: ChunkGrid, elementSize: Int) {
    self.grid = grid
    self.elementSize = elementSize
    func steps(_ shape: [Int]) -> [Int] {
      var steps = [Int](repeating: 1, count: shape.count)
      for axis in shape.indices.dropLast().reversed() { steps[axis] = steps[axis + 1] * shape[axis + 1] }
      return steps
    }
    targetSteps = steps(grid.shape)
    sourceSteps = steps(grid.chunk)
    extent = grid.chunk
    position = [Int](repeating: 0, count: grid.chunk.count)
  }

  /// Turns to the chunk of this number.
  mutating func place(_ index: Int) {
    var rest = index
    place = 0
    for axis in grid.counts.indices.reversed() {
      let start = rest % grid.counts[axis] * grid.chunk[axis]
      rest /= grid.counts[axis]
      extent[axis] = min(grid.chunk[axis], grid.shape[axis] - start)
      place += start * targetSteps[axis]
    }
    runAxis = extent.count - 1
    while runAxis > 0, extent[runAxis] == grid.chunk[runAxis], extent[runAxis] == grid.shape[runAxis] {
      runAxis -= 1
    }
  }

  /// Whether the chunk reaches beyond the dataset.
  var isPartial: Bool { extent != grid.chunk }

  /// Where the chunk's bytes go as they are; nil unless all of it is one run.
  var wholePlace: Int? {
    guard !isPartial, extent[..<runAxis].allSatisfy({ $0 == 1 }) else { return nil }
    return place * elementSize
  }

  mutating func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    let run = extent[runAxis...].reduce(elementSize, *)
    var (sourcePlace, targetPlace) = (0, place)
    for axis in 0..<runAxis { position[axis] = 0 }
    while true {
      (to + targetPlace * elementSize).copyMemory(from: from + sourcePlace * elementSize, byteCount: run)
      var axis = runAxis - 1
      while axis >= 0 {
        position[axis] += 1
        sourcePlace += sourceSteps[axis]
        targetPlace += targetSteps[axis]
        if position[axis] < extent[axis] { break }
        sourcePlace -= sourceSteps[axis] * extent[axis]
        targetPlace -= targetSteps[axis] * extent[axis]
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
