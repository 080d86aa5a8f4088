/// What is known of a convolution's inputs: for each channel the second moments S = L·Lᵀ of its patches.
///
/// For the weights A of a channel (outputs × taps) and A·L = U·Σ·Vᵀ, leaving out all but the first T filters vᵣᵀ·L⁻¹
/// changes the output by Σ_{r>T} σᵣ² on average, which is the least that is possible.
struct InputWhitening: Sendable {
  private let taps: Int
  /// Nil for a channel that is always zero.
  private let factors: [CholeskyFactor?]

  /// The share of the mean moment that keeps taps apart which the samples never told apart.
  private static let ridge = 1e-6

  /// - Parameter moments: for each channel the mean of p·pᵀ over patches p, row after row.
  init(_ moments: [[Double]], taps: Int) {
    self.taps = taps
    factors = moments.map { moments in
      let trace = (0..<taps).reduce(0) { $0 + moments[$1 * taps + $1] }
      var regular = moments
      for tap in 0..<taps { regular[tap * taps + tap] += Self.ridge * trace / Double(taps) }
      return CholeskyFactor(regular, count: taps)
    }
  }

  /// A·L's singular values; A's vectors without values for a channel that is always zero.
  func singularValues(_ matrix: [Double], rows: Int, channel: Int) -> SingularValues {
    guard let factor = factors[channel] else {
      let own = SingularValues(matrix, rows: rows, columns: taps)
      return SingularValues(values: own.values.map { _ in 0 }, vectors: own.vectors)
    }
    return SingularValues(factor.multiplied(matrix, rows: rows), rows: rows, columns: taps)
  }

  /// vᵀ·L⁻¹ at length 1.
  func filter(_ vector: [Double], channel: Int) -> [Double] {
    guard let factor = factors[channel] else { return vector }
    let filter = factor.solveTransposed(vector)
    let length = filter.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 && length.isFinite ? filter.map { $0 / length } : vector
  }

  /// (L·v)·‖vᵀ·L⁻¹‖: a row of A times it is what the output takes of the filter.
  func projection(_ vector: [Double], channel: Int) -> [Double] {
    guard let factor = factors[channel] else { return vector }
    let length = factor.solveTransposed(vector).reduce(0) { $0 + $1 * $1 }.squareRoot()
    return factor.times(vector).map { $0 * length }
  }
}
