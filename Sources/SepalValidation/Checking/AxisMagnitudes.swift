/// How large the elements of a tensor are around a place: the root mean square of its neighbours along the axis that tells
/// most. Channels differ by orders of magnitude, places of a picture do not.
struct AxisMagnitudes {
  private let shape: [Int]
  /// Per axis, per index along it: the root mean square over all other axes.
  private var pools: [[Double]] = []
  private let overall: Double
  private let squares: [Double]

  /// Fewer numbers than this say little.
  private static let minimumPool = 12

  /// - Parameter samples: several tensors of one shape, in row-major order. None: all zero.
  init(shape: [Int], _ samples: [[Double]]) {
    self.shape = shape
    let count = shape.reduce(1, *)
    var squares = [Double](repeating: 0, count: count)
    for sample in samples {
      for (index, value) in sample.enumerated() where value.isFinite { squares[index] += value * value }
    }
    let scale = 1 / Double(max(1, samples.count))
    self.squares = squares.map { $0 * scale }
    overall = (squares.reduce(0, +) * scale / Double(max(1, count))).squareRoot()
    for axis in shape.indices {
      let inner = shape[(axis + 1)...].reduce(1, *)
      let extent = shape[axis]
      guard extent > 1, count / extent * max(1, samples.count) >= Self.minimumPool else {
        pools.append([])
        continue
      }
      var sums = [Double](repeating: 0, count: extent)
      for (index, square) in squares.enumerated() { sums[index / inner % extent] += square }
      pools.append(sums.map { ($0 * scale / Double(count / extent)).squareRoot() })
    }
  }

  func around(_ index: Int) -> Double {
    var (rest, smallest) = (index, overall)
    for axis in shape.indices.reversed() {
      let at = rest % shape[axis]
      rest /= shape[axis]
      if !pools[axis].isEmpty { smallest = min(smallest, pools[axis][at]) }
    }
    return max(smallest, squares[index].squareRoot())
  }
}
