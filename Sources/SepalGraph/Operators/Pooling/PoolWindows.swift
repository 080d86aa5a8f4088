/// The loop nest of a pooling operator with shapes padded to three spatial axes.
struct PoolWindows {
  private let layout: Layout
  private let batch, channels: Int
  private let input, output, kernel, strides, dilations, padBegins, padEnds: [Int]

  init(_ op: some PoolOperator, input: [Int], output: [Int]) {
    let rank = input.count - 2
    func padded(_ list: some Sequence<Int>, with value: Int = 1) -> [Int] {
      [Int](repeating: value, count: 3 - rank) + list
    }
    let spatial = op.layout.firstSpatialAxis..<op.layout.firstSpatialAxis + rank
    layout = op.layout
    batch = input[0]
    channels = input[layout.channelAxis(rank: input.count)]
    self.input = padded(input[spatial])
    self.output = padded(output[spatial])
    kernel = padded(op.kernel)
    strides = padded(op.strides)
    dilations = padded(op.dilations)
    padBegins = padded(op.padBegins, with: 0)
    padEnds = padded(op.padEnds, with: 0)
  }

  /// Visits every pair of an output element and an input element in its window; padding is skipped.
  func forEachTap(_ body: (_ target: Int, _ source: Int) -> Void) {
    let (inputSize, outputSize) = (input.reduce(1, *), output.reduce(1, *))
    let first = layout == .channelsFirst
    let (pixel, inputChannel, outputChannel) = first ? (1, inputSize, outputSize) : (channels, 1, 1)
    guard channels * outputSize > 0 else { return }
    for n in 0..<batch {
      let (sourceBase, targetBase) = (n * channels * inputSize, n * channels * outputSize)
      for z in 0..<output[0] {
        for iz in taps(axis: 0, at: z) {
          for y in 0..<output[1] {
            for iy in taps(axis: 1, at: y) {
              for x in 0..<output[2] {
                for ix in taps(axis: 2, at: x) {
                  let source = sourceBase + ((iz * input[1] + iy) * input[2] + ix) * pixel
                  let target = targetBase + ((z * output[1] + y) * output[2] + x) * pixel
                  for c in 0..<channels { body(target + c * outputChannel, source + c * inputChannel) }
                }
              }
            }
          }
        }
      }
    }
  }

  /// Positions along `axis` of the input that the window of output position `index` covers, ascending.
  private func taps(axis: Int, at index: Int) -> StrideTo<Int> {
    let start = index * strides[axis] - padBegins[axis]
    let dilation = dilations[axis]
    let skipped = start < 0 ? (-start + dilation - 1) / dilation : 0
    let end = Swift.min(start + (kernel[axis] - 1) * dilation + 1, input[axis])
    return stride(from: start + skipped * dilation, to: end, by: dilation)
  }

  /// For each output pixel, in row-major spatial order, how many of its taps fall on the input, or with `padding`,
  /// on the padded input.
  func tapCounts(padding: Bool) -> [Double] {
    let perAxis = (0..<3).map { axis in
      (0..<output[axis]).map { index in
        let start = index * strides[axis] - padBegins[axis]
        let low = padding ? -padBegins[axis] : 0
        let high = input[axis] + (padding ? padEnds[axis] : 0)
        return count(from: start, axis: axis, within: low..<max(low, high))
      }
    }
    return perAxis[0].flatMap { z in perAxis[1].flatMap { y in perAxis[2].map { x in Double(z * y * x) } } }
  }

  private func count(from start: Int, axis: Int, within range: Range<Int>) -> Int {
    let dilation = dilations[axis]
    func tapsBelow(_ bound: Int) -> Int {
      Swift.min(Swift.max(0, (bound - start + dilation - 1) / dilation), kernel[axis])
    }
    return tapsBelow(range.upperBound) - tapsBelow(range.lowerBound)
  }
}
