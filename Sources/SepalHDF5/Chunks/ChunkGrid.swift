/// How chunks tile a dataset, and how the indexes number them.
struct ChunkGrid: Sendable {
  /// The dataset, in elements.
  let shape: [Int]
  /// One chunk, in elements.
  let chunk: [Int]
  /// Chunks per dimension.
  let counts: [Int]
  /// Chunks in all.
  let count: Int
  /// Chunks per dimension as far as the dataset may grow; nil is without limit.
  private let maximumCounts: [Int?]

  /// `shape` is checked: its product can be counted.
  init(_ dataspace: Dataspace, chunk: [Int]) throws(HDF5Error) {
    guard dataspace.shape.count == chunk.count else {
      throw HDF5Error(
        .malformed, "has chunks of \(chunk.count) dimensions in a dataset of \(dataspace.shape.count)")
    }
    func chunks(_ size: Int, _ chunk: Int) -> Int { size / chunk + (size % chunk == 0 ? 0 : 1) }
    shape = dataspace.shape
    self.chunk = chunk
    counts = zip(dataspace.shape, chunk).map(chunks)
    count = counts.reduce(1, *)
    maximumCounts = zip(dataspace.maximum, chunk).map { size, chunk in size.map { chunks($0, chunk) } }
  }

  /// The chunk that starts at these elements; nil outside of the dataset.
  func index(ofOrigin origin: (Int) throws(HDF5Error) -> Int) throws(HDF5Error) -> Int? {
    var (index, isInside) = (0, true)
    for axis in counts.indices {
      let (position, remainder) = try origin(axis).quotientAndRemainder(dividingBy: chunk[axis])
      guard remainder == 0 else { throw HDF5Error(.malformed, "has a chunk that lies across its neighbours") }
      if position < counts[axis] { index = index * counts[axis] + position } else { isInside = false }
    }
    return isInside ? index : nil
  }

  /// The chunk at these places; nil outside of the dataset.
  func index(at place: (Int) throws(HDF5Error) -> Int) throws(HDF5Error) -> Int? {
    var (index, isInside) = (0, true)
    for axis in counts.indices {
      let position = try place(axis)
      if position < counts[axis] { index = index * counts[axis] + position } else { isInside = false }
    }
    return isInside ? index : nil
  }

  /// Numbers chunks in row-major order of the largest extent, `first` (an unlimited dimension) slowest of all.
  struct Numbering {
    /// Axes from the slowest to the fastest.
    private let axes: [Int]
    /// How many numbers one step along each of `axes` is.
    private let steps: [Int]
    private let counts: [Int]
    /// How many numbers there are; nil without limit.
    let count: Int?

    fileprivate init(_ grid: ChunkGrid, axes: [Int]) throws(HDF5Error) {
      self.axes = axes
      counts = grid.counts
      var (steps, step) = ([Int](repeating: 0, count: axes.count), 1 as Int?)
      for (place, axis) in axes.enumerated().reversed() {
        guard let current = step else {
          throw HDF5Error(.malformed, "has a chunk index that its dimensions do not allow")
        }
        steps[place] = current
        if let count = grid.maximumCounts[axis] {
          let (product, overflow) = current.multipliedReportingOverflow(by: count)
          guard !overflow else { throw HDF5Error(.malformed, "has more chunks than can be counted") }
          step = product
        } else {
          step = nil
        }
      }
      self.steps = steps
      count = step
    }

    /// The chunk of a number; nil outside of the dataset as it is now.
    func index(_ number: Int) -> Int? {
      var rest = number
      // Row-major in the order of the axes themselves, which `axes` permutes.
      var (index, scale) = (0, 1)
      var positions = (0, 0, 0, 0, 0, 0, 0, 0)
      return withUnsafeMutableBytes(of: &positions) { bytes in
        let positions = bytes.bindMemory(to: Int.self)
        for (place, axis) in axes.enumerated() {
          guard steps[place] > 0 else { return nil }
          let (position, remainder) = rest.quotientAndRemainder(dividingBy: steps[place])
          guard position < counts[axis] else { return nil }
          positions[axis] = position
          rest = remainder
        }
        for axis in counts.indices.reversed() {
          index += positions[axis] * scale
          scale *= counts[axis]
        }
        return index
      }
    }
  }

  /// The order of fixed arrays and of chunks without an index.
  func fixedNumbering() throws(HDF5Error) -> Numbering { try Numbering(self, axes: Array(counts.indices)) }

  /// The order of extensible arrays, which grow along one dimension.
  func extensibleNumbering() throws(HDF5Error) -> Numbering {
    let growing = maximumCounts.indices.filter { maximumCounts[$0] == nil }
    guard growing.count == 1 else {
      throw HDF5Error(
        .malformed, "has an extensible array of chunks, but \(growing.count) growing dimensions")
    }
    return try Numbering(self, axes: growing + maximumCounts.indices.filter { $0 != growing[0] })
  }
}
