/// The commonest convolutions over channels-last values as they lie: no detour over channels-first ones. Sums have the
/// order of the plain loops, and so the same bits.
extension ConvolutionLoops {
  /// Nil where the detour is taken.
  func gatherChannelsLast(_ x: [Double], _ weight: [Double], bias: [Double]?) -> [Double]? {
    let isDepthwise = positionChannels == 1 && planeChannels == 1 && groups > 1
    // Without weights the extents may be absurd.
    guard !weight.isEmpty, isDepthwise || isPointwise && groups == 1 else { return nil }
    let channels = groups * positionChannels
    var result = started(with: bias, channels: channels)
    // Rows of outputs: those of the weights are of inputs and taps.
    let rows = transposed(weight, batch: 1, rows: channels, columns: weight.count / channels)
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        rows.withUnsafeBufferPointer { rows in
          guard let result = result.baseAddress, let x = x.baseAddress, let rows = rows.baseAddress else {
            return
          }
          if isDepthwise {
            for n in 0..<batch {
              gatherDepthwise(
                result + n * positionCount * channels, x + n * planeCount * channels, rows, channels)
            }
          } else {
            ChannelProduct(
              rows: batch * positionCount, depth: planeChannels, columns: channels, xRow: channels,
              cRow: channels
            ).accumulate(result, x, rows)
          }
        }
      }
    }
    return result
  }

  /// Every position begins with the bias.
  private func started(with bias: [Double]?, channels: Int) -> [Double] {
    let count = batch * positionCount * channels
    guard let bias else { return [Double](repeating: 0, count: count) }
    return [Double](unsafeUninitializedCapacity: count) { result, initialized in
      bias.withUnsafeBufferPointer { bias in
        guard let result = result.baseAddress, let bias = bias.baseAddress else { return }
        for start in stride(from: 0, to: count, by: channels) {
          (result + start).initialize(from: bias, count: channels)
        }
      }
      initialized = count
    }
  }

  /// Position by position, tap by tap, over all channels.
  private func gatherDepthwise(
    _ result: UnsafeMutablePointer<Double>, _ x: UnsafePointer<Double>, _ weight: UnsafePointer<Double>,
    _ channels: Int
  ) {
    var target = result
    for z in 0..<positions[0] {
      for y in 0..<positions[1] {
        for column in 0..<positions[2] {
          for i in 0..<kernel[0] {
            guard let plane0 = index(0, z, i) else { continue }
            for j in 0..<kernel[1] {
              guard let plane1 = index(1, y, j) else { continue }
              for k in 0..<kernel[2] {
                guard let plane2 = index(2, column, k) else { continue }
                let source = x + ((plane0 * plane[1] + plane1) * plane[2] + plane2) * channels
                let taps = weight + ((i * kernel[1] + j) * kernel[2] + k) * channels
                for channel in 0..<channels { target[channel] += taps[channel] * source[channel] }
              }
            }
          }
          target += channels
        }
      }
    }
  }

  /// Where in the plane a tap of the window at `position` is; nil in the padding.
  private func index(_ axis: Int, _ position: Int, _ tap: Int) -> Int? {
    let index = position * strides[axis] + tap * dilations[axis] - padBegins[axis]
    return index >= 0 && index < plane[axis] ? index : nil
  }
}
