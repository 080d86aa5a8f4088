import CSepalKernels
import Testing

/// Rows of pixels of channels in memory, as kernels are handed them. What is not an element (gaps between pixels, rows
/// and blocks, lanes beyond the last channel, margins) holds a filler: NaN in operands, so that whatever is computed
/// from it shows, and a canary in results. Rows lie in memory last first.
final class KernelImage {
  enum Form: CaseIterable { case plain, blocked }

  /// Distances beyond what the elements take: floats between plain pixels, pixels between rows, pixels between blocks.
  struct Gaps {
    var pixel = 0
    var row = 0
    var block = 0
    static let none = Gaps()
    static let some = Gaps(pixel: 3, row: 1, block: 2)
  }

  static let canary = GuardedOutput.canary
  private static let margin = 64

  let form: Form
  let rows, width, channels, vector: Int
  /// Floats from pixel to pixel, row to row, block to block.
  let pixel, row, block: Int
  private let count: Int
  private let filler: Float
  private let memory: UnsafeMutablePointer<Float>

  init(
    _ form: Form, rows: Int = 1, width: Int, channels: Int, vector: Int, gaps: Gaps = .none, filler: Float
  ) {
    (self.form, self.rows, self.width, self.channels, self.vector) = (form, rows, width, channels, vector)
    self.filler = filler
    pixel = form == .blocked ? vector : channels + gaps.pixel
    row = (width + gaps.row) * pixel
    block = form == .blocked ? rows * row + gaps.block * vector : vector
    let blocks = form == .blocked ? (channels + vector - 1) / vector : 1
    count = blocks * max(block, rows * row) + 2 * Self.margin
    memory = .allocate(capacity: count)
    memory.initialize(repeating: filler, count: count)
  }

  /// Random elements between fillers of NaN.
  convenience init(
    operand form: Form, rows: Int = 1, width: Int, channels: Int, vector: Int, gaps: Gaps = .none,
    random: inout SplitMix
  ) {
    self.init(
      form, rows: rows, width: width, channels: channels, vector: vector, gaps: gaps, filler: .nan)
    for y in 0..<rows {
      for x in 0..<width {
        for c in 0..<channels { self[y, x, c] = Float.random(in: -1...1, using: &random) }
      }
    }
  }

  /// Where a kernel leaves its result.
  convenience init(
    result form: Form, rows: Int = 1, width: Int, channels: Int, vector: Int, gaps: Gaps = .none
  ) {
    self.init(
      form, rows: rows, width: width, channels: channels, vector: vector, gaps: gaps, filler: Self.canary)
  }

  deinit { memory.deallocate() }

  /// The first row in memory, and row `y`.
  var base: UnsafeMutablePointer<Float> { memory + Self.margin }
  func pointer(_ y: Int) -> UnsafeMutablePointer<Float> { base + (rows - 1 - y) * row }
  func constant(_ y: Int) -> UnsafePointer<Float> { UnsafePointer(pointer(y)) }

  private func offset(_ y: Int, _ x: Int, _ c: Int) -> Int {
    Self.margin + (rows - 1 - y) * row + x * pixel + c / vector * block + c % vector
  }

  subscript(y: Int, x: Int, c: Int) -> Float {
    get { memory[offset(y, x, c)] }
    set { memory[offset(y, x, c)] = newValue }
  }

  /// All elements by row, pixel and channel.
  var elements: [Float] {
    var result: [Float] = []
    result.reserveCapacity(rows * width * channels)
    for y in 0..<rows {
      for x in 0..<width {
        for c in 0..<channels { result.append(self[y, x, c]) }
      }
    }
    return result
  }

  /// Fillers that were written over. Lanes beyond the last channel are a kernel's to write.
  var strayWrites: Int {
    var isFree = [Bool](repeating: false, count: count)
    let lanes = form == .blocked ? (channels + vector - 1) / vector * vector : channels
    for y in 0..<rows {
      for x in 0..<width {
        for c in 0..<lanes { isFree[offset(y, x, c)] = true }
      }
    }
    return (0..<count).count { !isFree[$0] && memory[$0] != filler }
  }
}
