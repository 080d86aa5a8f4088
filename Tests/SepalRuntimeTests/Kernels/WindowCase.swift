import CSepalKernels
import Testing

/// A window that slides over one image, with the obvious reference.
struct WindowCase: CustomTestStringConvertible {
  typealias Pair = (h: Int, w: Int)

  var size: Pair = (7, 8)
  /// Of the input and of the output.
  var channels = (input: 3, output: 5)
  var groups = 1
  var kernel: Pair = (3, 3)
  var stride: Pair = (1, 1)
  var dilation: Pair = (1, 1)
  var pads = (top: 0, left: 0, bottom: 0, right: 0)
  var residual = false
  var act = noActivation
  var gaps = KernelImage.Gaps.some

  var span: Pair { (dilation.h * (kernel.h - 1) + 1, dilation.w * (kernel.w - 1) + 1) }
  var out: Pair {
    (
      (size.h + pads.top + pads.bottom - span.h) / stride.h + 1,
      (size.w + pads.left + pads.right - span.w) / stride.w + 1
    )
  }
  var isPossible: Bool {
    size.h + pads.top + pads.bottom >= span.h && size.w + pads.left + pads.right >= span.w
  }
  /// Width of a row with its padding, as far as the windows reach.
  var paddedWidth: Int { (out.w - 1) * stride.w + span.w }

  /// Where strips of so many rows of the result end, but the last.
  func rowCuts(every strip: Int) -> [Int] { (1..<out.h).filter { $0 % strip == 0 } }

  var testDescription: String {
    "\(size.h)×\(size.w)×\(channels.input)→\(channels.output) g\(groups) k\(kernel.h)×\(kernel.w)"
      + " s\(stride.h),\(stride.w) d\(dilation.h),\(dilation.w) p\(pads) act \(act.kind.rawValue)"
      + (residual ? " +r" : "")
  }

  /// The input row under kernel row `ky` of output row `y`, and the column likewise; nil outside the image.
  func inputRow(_ y: Int, _ ky: Int) -> Int? {
    let row = y * stride.h - pads.top + ky * dilation.h
    return (0..<size.h).contains(row) ? row : nil
  }
  func inputColumn(_ x: Int, _ kx: Int) -> Int? {
    let column = x * stride.w - pads.left + kx * dilation.w
    return (0..<size.w).contains(column) ? column : nil
  }

  /// Calls `body` for each pixel under the window at (y, x), with its kernel position.
  func forEachTap(_ y: Int, _ x: Int, _ body: (_ row: Int, _ column: Int, _ tap: Int) -> Void) {
    for ky in 0..<kernel.h {
      guard let row = inputRow(y, ky) else { continue }
      for kx in 0..<kernel.w {
        if let column = inputColumn(x, kx) { body(row, column, ky * kernel.w + kx) }
      }
    }
  }

  /// Elements of `output` that are not as the sums say, and values written out of place.
  func failures(_ output: KernelImage, _ exact: (_ y: Int, _ x: Int, _ channel: Int) -> ExactSum) -> Int {
    var failures = output.strayWrites
    for y in 0..<out.h {
      for x in 0..<out.w {
        for c in 0..<channels.output where !exact(y, x, c).explains(output[y, x, c]) { failures += 1 }
      }
    }
    return failures
  }
}

/// What kernels over channel-blocked rows are handed: an image, whose rows outside are absent, and its result.
final class StripProblem {
  let kernels: Kernels
  let c: WindowCase
  let input, residual: KernelImage
  /// [channels][taps]
  let weights: [Float]
  let bias: [Float]
  let blocks: Int
  private let blockedWeights, blockedBias, zeros: [Float]

  init(_ kernels: Kernels, _ c: WindowCase, seed: Int = 9) {
    (self.kernels, self.c) = (kernels, c)
    let vector = kernels.table.vector_width
    var random = SplitMix(seed)
    let channels = c.channels.input
    input = KernelImage(
      operand: .blocked, rows: c.size.h, width: c.size.w, channels: channels, vector: vector, gaps: c.gaps,
      random: &random)
    residual = KernelImage(
      operand: .blocked, rows: c.out.h, width: c.out.w, channels: channels, vector: vector,
      random: &random)
    let taps = c.kernel.h * c.kernel.w
    let weights = random.floats(channels * taps)
    let bias = random.floats(channels)
    blocks = (channels + vector - 1) / vector
    blockedWeights = (0..<blocks * taps * vector).map { index in
      let channel = index / (taps * vector) * vector + index % vector
      return channel < channels ? weights[channel * taps + index / vector % taps] : 0
    }
    blockedBias = bias + [Float](repeating: 0, count: blocks * vector - channels)
    zeros = [Float](repeating: 0, count: c.size.w * vector) + [Float](repeating: .nan, count: 16)
    (self.weights, self.bias) = (weights, bias)
  }

  /// Runs output rows and channel blocks in the pieces between the cuts. `body` gets the number of its first row.
  func run(
    rowCuts: [Int] = [], blockCuts: [Int] = [],
    _ body: (_ strip: inout sepal_strip, _ firstRow: Int, _ blocks: Range<Int>) -> Void
  ) -> KernelImage {
    let output = KernelImage(
      result: .blocked, rows: c.out.h, width: c.out.w, channels: c.channels.input,
      vector: kernels.table.vector_width, gaps: c.gaps)
    let (rowEnds, blockEnds) = ([0] + rowCuts + [c.out.h], [0] + blockCuts + [blocks])
    var s = sepal_strip()
    (s.in_w, s.out_w) = (c.size.w, c.out.w)
    (s.kernel_h, s.kernel_w) = c.kernel
    (s.stride_w, s.dilation_w, s.pad_left) = (c.stride.w, c.dilation.w, c.pads.left)
    (s.in_block, s.out_block, s.residual_block) = (input.block, output.block, residual.block)
    s.activation = c.act
    for (begin, end) in zip(rowEnds, rowEnds.dropFirst()) {
      let rows = (begin..<end).flatMap { y in
        (0..<c.kernel.h).map { ky in c.inputRow(y, ky).map { input.constant($0) } }
      }
      let out = (begin..<end).map { Optional(output.pointer($0)) }
      let added = (begin..<end).map { Optional(residual.constant($0)) }
      s.row_count = end - begin
      rows.withUnsafeBufferPointer { rows in
        out.withUnsafeBufferPointer { out in
          added.withUnsafeBufferPointer { added in
            blockedWeights.withUnsafeBufferPointer { weights in
              blockedBias.withUnsafeBufferPointer { bias in
                zeros.withUnsafeBufferPointer { zeros in
                  (s.rows, s.out) = (rows.baseAddress, out.baseAddress)
                  s.residual = c.residual ? added.baseAddress : nil
                  (s.weights, s.bias, s.zeros) = (weights.baseAddress, bias.baseAddress, zeros.baseAddress)
                  for (first, last) in zip(blockEnds, blockEnds.dropFirst()) { body(&s, begin, first..<last) }
                }
              }
            }
          }
        }
      }
    }
    return output
  }
}
