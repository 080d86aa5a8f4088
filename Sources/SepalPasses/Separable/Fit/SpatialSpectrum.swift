/// How well each input channel of a convolution is served by few spatial filters.
///
/// For the weights A of a channel (outputs × taps) and second moments S = L·Lᵀ of its patches, A·L = U·Σ·Vᵀ: leaving
/// out all but the first T filters vᵣᵀ·L⁻¹ changes the output by Σ_{r>T} σᵣ² on average, which is the least that is
/// possible. Without moments S is the identity, and the change is that of the weights.
struct SpatialSpectrum: Sendable {
  /// Singular values of each channel, descending.
  let values: [[Double]]
  /// For each channel and value the filter, one number per tap.
  let filters: [[[Double]]]
  /// For each channel and value what each output takes of the filter.
  let columns: [[[Double]]]

  /// The share of the mean moment that keeps taps apart which the samples never told apart.
  private static let ridge = 1e-6

  /// - Parameter moments: for each channel the mean of p·pᵀ over patches p, row after row; nil: patches of noise.
  init(_ patches: ConvolutionPatches, moments: [[Double]]?) {
    let (taps, outputs) = (patches.taps, patches.outputs)
    let channels = parallelMap(patches.inputs) { channel -> ([Double], [[Double]], [[Double]]) in
      let matrix = patches.matrix(of: channel)
      let factor = moments.flatMap { Self.factor($0[channel], taps) }
      let whitened = factor?.multiplied(matrix, rows: outputs) ?? matrix
      let decomposition = SingularValues(whitened, rows: outputs, columns: taps)
      let count = min(taps, outputs)
      let filters = decomposition.vectors.prefix(count).map { factor?.solveTransposed($0) ?? $0 }
      let columns = decomposition.vectors.prefix(count).map { vector in
        (0..<outputs).map { row in (0..<taps).reduce(0) { $0 + whitened[row * taps + $1] * vector[$1] } }
      }
      // A channel that is always zero loses nothing.
      let isDead = moments.map { $0[channel].allSatisfy { $0 == 0 } } ?? false
      let values = decomposition.values.prefix(count).map { isDead ? 0 : $0 }
      return (Array(values), Array(filters), Array(columns))
    }
    values = channels.map(\.0)
    filters = channels.map(\.1)
    columns = channels.map(\.2)
  }

  /// The share of Σσ² that is lost with `terms` filters for each channel.
  func lost(terms: Int) -> Double {
    let all = values.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
    let kept = values.reduce(0) { $0 + $1.dropFirst(terms).reduce(0) { $0 + $1 * $1 } }
    return all > 0 ? kept / all : 0
  }

  /// Nil for moments of nothing but zeros.
  private static func factor(_ moments: [Double], _ taps: Int) -> CholeskyFactor? {
    let trace = (0..<taps).reduce(0) { $0 + moments[$1 * taps + $1] }
    var regular = moments
    for tap in 0..<taps { regular[tap * taps + tap] += ridge * trace / Double(taps) }
    return CholeskyFactor(regular, count: taps)
  }
}
