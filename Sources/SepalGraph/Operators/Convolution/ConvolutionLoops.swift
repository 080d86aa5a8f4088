/// The loop nest of `Conv` and of its transpose, with shapes padded to three spatial dimensions.
///
/// A kernel window stands at every position of `positions` and reaches into `plane`: for `Conv` these are the output and
/// the input, for `ConvTranspose` the input and the output. Sums run channels-first whatever the layout.
struct ConvolutionLoops {
  private let layout: Layout
  private let batch, groups: Int
  private let positions, plane, kernel, strides, dilations, padBegins: [Int]
  /// Channels of the positions' side and of the plane's side, in one group.
  private let positionChannels, planeChannels: Int

  init(_ op: Conv, input: [Int], weight: [Int], output: [Int]) {
    self.init(
      layout: op.layout, groups: op.groups, positions: output, plane: input, weight: weight,
      strides: op.strides, dilations: op.dilations, padBegins: op.padBegins)
  }

  init(_ op: ConvTranspose, input: [Int], weight: [Int], output: [Int]) {
    self.init(
      layout: op.layout, groups: op.groups, positions: input, plane: output, weight: weight,
      strides: op.strides, dilations: op.dilations, padBegins: op.padBegins)
  }

  /// `weight` is `[channels of positions, channels of plane / groups, kernel…]` for both operators.
  private init(
    layout: Layout, groups: Int, positions: [Int], plane: [Int], weight: [Int], strides: [Int],
    dilations: [Int], padBegins: [Int]
  ) {
    let rank = positions.count - 2
    func padded(_ list: some Sequence<Int>, with value: Int = 1) -> [Int] {
      [Int](repeating: value, count: 3 - rank) + list
    }
    let spatial = layout.firstSpatialAxis..<layout.firstSpatialAxis + rank
    self.layout = layout
    self.groups = groups
    batch = positions[0]
    positionChannels = weight[0] / groups
    planeChannels = weight[1]
    self.positions = padded(positions[spatial])
    self.plane = padded(plane[spatial])
    kernel = padded(weight.dropFirst(2))
    self.strides = padded(strides)
    self.dilations = padded(dilations)
    self.padBegins = padded(padBegins, with: 0)
  }

  private var positionCount: Int { positions.reduce(1, *) }
  private var planeCount: Int { plane.reduce(1, *) }

  /// The convolution sums without bias: each position gathers from the plane.
  func gather(_ x: [Double], _ weight: [Double]) -> [Double] {
    let x = channelsFirst(x, channels: groups * planeChannels, size: planeCount)
    var result = [Double](repeating: 0, count: batch * groups * positionChannels * positionCount)
    let stride = strides[2]
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        forEachRun(weight) { w, position, plane, count in
          for step in 0..<count { result[position + step] += w * x[plane + step * stride] }
        }
      }
    }
    return inLayout(result, channels: groups * positionChannels, size: positionCount)
  }

  /// The transposed convolution sums without bias: each position scatters into the plane.
  func scatter(_ x: [Double], _ weight: [Double]) -> [Double] {
    let x = channelsFirst(x, channels: groups * positionChannels, size: positionCount)
    var result = [Double](repeating: 0, count: batch * groups * planeChannels * planeCount)
    let stride = strides[2]
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        forEachRun(weight) { w, position, plane, count in
          for step in 0..<count { result[plane + step * stride] += w * x[position + step] }
        }
      }
    }
    return inLayout(result, channels: groups * planeChannels, size: planeCount)
  }

  /// Visits every weight with each row of positions where its tap is inside the plane: the weight, the
  /// channels-first positions of the row's start on either side, and the row's length.
  @inline(__always)
  private func forEachRun(
    _ weight: [Double], _ body: (_ w: Double, _ position: Int, _ plane: Int, _ count: Int) -> Void
  ) {
    // Without weights the extents of batch and kernel may be absurd.
    guard !weight.isEmpty else { return }
    let taps = kernel.reduce(1, *)
    let ranges = (0..<3).map { axis in (0..<kernel[axis]).map { validPositions(axis: axis, tap: $0) } }
    for n in 0..<batch {
      for p in 0..<groups * positionChannels {
        let group = p / positionChannels
        let positionBase = (n * groups * positionChannels + p) * positionCount
        for q in 0..<planeChannels {
          let planeBase = ((n * groups + group) * planeChannels + q) * planeCount
          for tap in 0..<taps {
            let w = weight[(p * planeChannels + q) * taps + tap]
            let (kx, ky, kz) = (tap % kernel[2], tap / kernel[2] % kernel[1], tap / (kernel[2] * kernel[1]))
            let row = ranges[2][kx]
            guard !row.isEmpty else { continue }
            let x = planeIndex(axis: 2, position: row.lowerBound, tap: kx)
            for z in ranges[0][kz] {
              let planeZ = planeIndex(axis: 0, position: z, tap: kz) * plane[1]
              for y in ranges[1][ky] {
                let planeY = planeZ + planeIndex(axis: 1, position: y, tap: ky)
                body(
                  w, positionBase + (z * positions[1] + y) * positions[2] + row.lowerBound,
                  planeBase + planeY * plane[2] + x, row.count)
              }
            }
          }
        }
      }
    }
  }

  private func planeIndex(axis: Int, position: Int, tap: Int) -> Int {
    position * strides[axis] + tap * dilations[axis] - padBegins[axis]
  }

  /// The positions along `axis` from which `tap` falls inside the plane.
  private func validPositions(axis: Int, tap: Int) -> Range<Int> {
    let offset = padBegins[axis] - tap * dilations[axis]
    func firstPosition(reaching index: Int) -> Int {
      let distance = index + offset
      return distance <= 0 ? 0 : min((distance + strides[axis] - 1) / strides[axis], positions[axis])
    }
    return firstPosition(reaching: 0)..<firstPosition(reaching: plane[axis])
  }

  private func channelsFirst(_ x: [Double], channels: Int, size: Int) -> [Double] {
    layout == .channelsFirst ? x : transposed(x, rows: size, columns: channels)
  }

  private func inLayout(_ x: [Double], channels: Int, size: Int) -> [Double] {
    layout == .channelsFirst ? x : transposed(x, rows: channels, columns: size)
  }

  /// Each of `batch` matrices transposed.
  private func transposed(_ x: [Double], rows: Int, columns: Int) -> [Double] {
    var result = [Double](repeating: 0, count: x.count)
    for n in 0..<batch {
      let base = n * rows * columns
      for row in 0..<rows {
        for column in 0..<columns { result[base + column * rows + row] = x[base + row * columns + column] }
      }
    }
    return result
  }
}
