/// The loop nest of `Conv` and of its transpose, with shapes padded to three spatial dimensions.
///
/// A kernel window stands at every position of `positions` and reaches into `plane`: for `Conv` these are the output and
/// the input, for `ConvTranspose` the input and the output. Sums run channels-first whatever the layout.
struct ConvolutionLoops {
  private let layout: Layout
  let batch, groups: Int
  let positions, plane, kernel, strides, dilations, padBegins: [Int]
  /// Channels of the positions' side and of the plane's side, in one group.
  let positionChannels, planeChannels: Int

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

  var positionCount: Int { positions.reduce(1, *) }
  var planeCount: Int { plane.reduce(1, *) }
  /// Whether every position sees the plane at its own place only.
  var isPointwise: Bool {
    kernel.allSatisfy { $0 == 1 } && strides.allSatisfy { $0 == 1 } && padBegins.allSatisfy { $0 == 0 }
      && positions == plane
  }

  /// The convolution: each position gathers from the plane.
  func gather(_ x: [Double], _ weight: [Double], bias: [Double]?) -> [Double] {
    if layout == .channelsLast, let result = gatherChannelsLast(x, weight, bias: bias) { return result }
    let x = channelsFirst(x, channels: groups * planeChannels, size: planeCount)
    var result = filled(with: bias, channels: groups * positionChannels, size: positionCount)
    // Products with the zeros of the padding add nothing where weights are finite.
    if positionChannels >= 4, positionCount > 0, weight.allSatisfy(\.isFinite) {
      gatherByProducts(x, weight, into: &result)
    } else {
      gatherByRuns(x, weight, into: &result)
    }
    return inLayout(result, channels: groups * positionChannels, size: positionCount)
  }

  /// Weight by weight, over all positions that it reaches.
  func gatherByRuns(_ x: [Double], _ weight: [Double], into result: inout [Double]) {
    let stride = strides[2]
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        forEachRun(weight) { w, position, plane, count in
          if stride == 1 {
            // Written out for the vectoriser.
            for step in 0..<count { result[position + step] += w * x[plane + step] }
          } else {
            for step in 0..<count { result[position + step] += w * x[plane + step * stride] }
          }
        }
      }
    }
  }

  /// As matrix products: what a stretch of positions sees of the plane, one row a weight, times the weights.
  func gatherByProducts(_ x: [Double], _ weight: [Double], into result: inout [Double]) {
    let taps = kernel.reduce(1, *)
    let depth = planeChannels * taps
    guard depth > 0 else { return }
    let isPlane = isPointwise
    let stretch = isPlane ? positionCount : min(positionCount, max(64, (1 << 18) / depth))
    let runs = isPlane ? [] : (0..<taps).map(runs(ofTap:))
    var seen = [Double](repeating: 0, count: isPlane ? 0 : depth * stretch)
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        weight.withUnsafeBufferPointer { weight in
          guard let result = result.baseAddress, let x = x.baseAddress, let weight = weight.baseAddress else {
            return
          }
          for n in 0..<batch {
            for group in 0..<groups {
              let w = weight + group * positionChannels * depth
              let source = x + (n * groups + group) * planeChannels * planeCount
              let target = result + (n * groups + group) * positionChannels * positionCount
              for first in Swift.stride(from: 0, to: positionCount, by: stretch) {
                let columns = min(stretch, positionCount - first)
                if isPlane {
                  product(depth, columns, xRow: planeCount).accumulate(target + first, w, source + first)
                  continue
                }
                seen.withUnsafeMutableBufferPointer { seen in
                  guard let seen = seen.baseAddress else { return }
                  collect(source, runs, first..<first + columns, into: seen)
                  product(depth, columns, xRow: columns).accumulate(target + first, w, seen)
                }
              }
            }
          }
        }
      }
    }
  }

  private func product(_ depth: Int, _ columns: Int, xRow: Int) -> ChannelProduct {
    ChannelProduct(rows: positionChannels, depth: depth, columns: columns, xRow: xRow, cRow: positionCount)
  }

  /// The matrix [channel and tap][position] of what `stretch` sees of one group's planes; zero in the padding.
  private func collect(
    _ source: UnsafePointer<Double>, _ runs: [[(position: Int, plane: Int, count: Int)]],
    _ stretch: Range<Int>, into seen: UnsafeMutablePointer<Double>
  ) {
    let (columns, step) = (stretch.count, strides[2])
    seen.update(repeating: 0, count: planeChannels * runs.count * columns)
    for tap in runs.indices {
      for run in runs[tap] {
        let begin = max(run.position, stretch.lowerBound)
        let end = min(run.position + run.count, stretch.upperBound)
        guard begin < end else { continue }
        let from = source + run.plane + (begin - run.position) * step
        for q in 0..<planeChannels {
          let row = seen + (q * runs.count + tap) * columns + (begin - stretch.lowerBound)
          let line = from + q * planeCount
          if step == 1 {
            row.update(from: line, count: end - begin)
          } else {
            for index in 0..<end - begin { row[index] = line[index * step] }
          }
        }
      }
    }
  }

  /// The transposed convolution: each position scatters into the plane.
  func scatter(_ x: [Double], _ weight: [Double], bias: [Double]?) -> [Double] {
    let x = channelsFirst(x, channels: groups * positionChannels, size: positionCount)
    var result = filled(with: bias, channels: groups * planeChannels, size: planeCount)
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

  /// Where sums start: at the bias of their channel.
  private func filled(with bias: [Double]?, channels: Int, size: Int) -> [Double] {
    var result = [Double](repeating: 0, count: batch * channels * size)
    guard let bias, size > 0 else { return result }
    for start in Swift.stride(from: 0, to: result.count, by: size) {
      let value = bias[start / size % channels]
      for index in start..<start + size { result[index] = value }
    }
    return result
  }

  /// Visits every weight with each run of positions where its tap is inside the plane: the weight, the channels-first
  /// positions of the run's start on either side, and its length. Along the plane a run advances by the last stride.
  @inline(__always)
  private func forEachRun(
    _ weight: [Double], _ body: (_ w: Double, _ position: Int, _ plane: Int, _ count: Int) -> Void
  ) {
    // Without weights the extents of batch and kernel may be absurd.
    guard !weight.isEmpty else { return }
    let taps = kernel.reduce(1, *)
    let runs = (0..<taps).map(runs(ofTap:))
    for n in 0..<batch {
      for p in 0..<groups * positionChannels {
        let group = p / positionChannels
        let positionBase = (n * groups * positionChannels + p) * positionCount
        for q in 0..<planeChannels {
          let planeBase = ((n * groups + group) * planeChannels + q) * planeCount
          for tap in 0..<taps {
            let w = weight[(p * planeChannels + q) * taps + tap]
            for run in runs[tap] { body(w, positionBase + run.position, planeBase + run.plane, run.count) }
          }
        }
      }
    }
  }

  /// The runs of one tap within a channel. Rows that follow each other without a gap on both sides are one run.
  private func runs(ofTap tap: Int) -> [(position: Int, plane: Int, count: Int)] {
    let taps = [tap / (kernel[2] * kernel[1]), tap / kernel[2] % kernel[1], tap % kernel[2]]
    let valid = (0..<3).map { validPositions(axis: $0, tap: taps[$0]) }
    guard !valid[2].isEmpty else { return [] }
    var runs: [(position: Int, plane: Int, count: Int)] = []
    for z in valid[0] {
      for y in valid[1] {
        let index = zip([z, y, valid[2].lowerBound], taps).enumerated().map { axis, at in
          at.0 * strides[axis] + at.1 * dilations[axis] - padBegins[axis]
        }
        let position = (z * positions[1] + y) * positions[2] + valid[2].lowerBound
        let target = (index[0] * plane[1] + index[1]) * plane[2] + index[2]
        if strides[2] == 1, let last = runs.last, last.position + last.count == position,
          last.plane + last.count == target
        {
          runs[runs.count - 1].count += valid[2].count
        } else {
          runs.append((position, target, valid[2].count))
        }
      }
    }
    return runs
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
    layout == .channelsFirst ? x : transposed(x, batch: batch, rows: size, columns: channels)
  }

  private func inLayout(_ x: [Double], channels: Int, size: Int) -> [Double] {
    layout == .channelsFirst ? x : transposed(x, batch: batch, rows: channels, columns: size)
  }

  /// Each of `batch` matrices transposed, in squares that stay in cache.
  func transposed(_ x: [Double], batch: Int, rows: Int, columns: Int) -> [Double] {
    let side = 16
    return [Double](unsafeUninitializedCapacity: x.count) { result, count in
      count = x.count
      guard let target = result.baseAddress else { return }
      x.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        for n in 0..<batch {
          let base = n * rows * columns
          for row0 in stride(from: 0, to: rows, by: side) {
            for column0 in stride(from: 0, to: columns, by: side) {
              for row in row0..<min(row0 + side, rows) {
                for column in column0..<min(column0 + side, columns) {
                  (target + base + column * rows + row).initialize(to: x[base + row * columns + column])
                }
              }
            }
          }
        }
      }
    }
  }
}
