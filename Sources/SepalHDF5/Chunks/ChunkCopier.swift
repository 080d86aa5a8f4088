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
