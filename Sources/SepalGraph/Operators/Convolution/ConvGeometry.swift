/// The loop nest of a convolution with shapes padded to three spatial dimensions.
struct ConvGeometry {
  private let layout: Layout
  private let batch, groups, channelsPerGroup, outputsPerGroup: Int
  private let input, kernel, output, strides, dilations, padBegins: [Int]

  init(_ op: Conv, input: [Int], weight: [Int], output: [Int]) {
    func padded(_ list: some Sequence<Int>, with value: Int = 1) -> [Int] {
      let items = Array(list)
      return [Int](repeating: value, count: 3 - items.count) + items
    }
    let first = op.layout.firstSpatialAxis
    let spatialRank = input.count - 2
    layout = op.layout
    batch = input[0]
    groups = op.groups
    channelsPerGroup = weight[1]
    outputsPerGroup = weight[0] / op.groups
    self.input = padded(input[first..<first + spatialRank])
    self.output = padded(output[first..<first + spatialRank])
    kernel = padded(weight.dropFirst(2))
    strides = padded(op.strides)
    dilations = padded(op.dilations)
    padBegins = padded(op.padBegins, with: 0)
  }

  /// The convolution sums without bias, in the output's layout. Each output row is accumulated tap by tap.
  func accumulate(_ x: [Double], _ weight: [Double]) -> [Double] {
    let channels = groups * channelsPerGroup
    let outputs = groups * outputsPerGroup
    let inputSize = input.reduce(1, *)
    let outputSize = output.reduce(1, *)
    let taps = kernel.reduce(1, *)
    let first = layout == .channelsFirst
    let (inputPixel, inputChannel) = first ? (1, inputSize) : (channels, 1)
    let (outputPixel, outputChannel) = first ? (1, outputSize) : (outputs, 1)
    var result = [Double](repeating: 0, count: batch * outputs * outputSize)
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        weight.withUnsafeBufferPointer { weight in
          for n in 0..<batch {
            for o in 0..<outputs {
              let group = o / outputsPerGroup
              for c in 0..<channelsPerGroup {
                let channel = group * channelsPerGroup + c
                let source = n * channels * inputSize + channel * inputChannel
                let target = n * outputs * outputSize + o * outputChannel
                for tap in 0..<taps {
                  let w = weight[(o * channelsPerGroup + c) * taps + tap]
                  let kx = tap % kernel[2]
                  let ky = tap / kernel[2] % kernel[1]
                  let kz = tap / (kernel[2] * kernel[1])
                  let offsetX = kx * dilations[2] - padBegins[2]
                  for z in 0..<output[0] {
                    let iz = z * strides[0] + kz * dilations[0] - padBegins[0]
                    guard iz >= 0, iz < input[0] else { continue }
                    for y in 0..<output[1] {
                      let iy = y * strides[1] + ky * dilations[1] - padBegins[1]
                      guard iy >= 0, iy < input[1] else { continue }
                      let sourceRow = source + (iz * input[1] + iy) * input[2] * inputPixel
                      let targetRow = target + (z * output[1] + y) * output[2] * outputPixel
                      for xo in 0..<output[2] {
                        let ix = xo * strides[2] + offsetX
                        guard ix >= 0, ix < input[2] else { continue }
                        result[targetRow + xo * outputPixel] += w * x[sourceRow + ix * inputPixel]
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    return result
  }
}
