/// A convolution as a sum of terms, each a filter for every input channel and then a matrix over channels.
struct SeparableTerms: Sendable {
  /// For each term `[inputs][taps]` and `[outputs][inputs]`.
  var filters: [[Double]]
  var matrices: [[Double]]
  /// Of the sum: one number per output.
  var bias: [Double]

  /// The first `terms` filters of each channel, with nothing learnt from samples but the moments in the spectrum.
  init(_ spectrum: SpatialSpectrum, of patches: ConvolutionPatches, terms: Int) {
    let (inputs, outputs, taps) = (patches.inputs, patches.outputs, patches.taps)
    filters = []
    matrices = []
    for term in 0..<terms {
      var (filter, matrix) = (
        [Double](repeating: 0, count: inputs * taps), [Double](repeating: 0, count: outputs * inputs)
      )
      for channel in 0..<inputs where term < spectrum.filters[channel].count {
        let column = spectrum.columns[channel][term]
        // Filters of length 1: what the moments made of them goes into the matrix.
        let own = spectrum.filters[channel][term]
        let length = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0, length.isFinite else { continue }
        for tap in 0..<taps { filter[channel * taps + tap] = own[tap] / length }
        for row in 0..<outputs { matrix[row * inputs + channel] = column[row] * length }
      }
      filters.append(filter)
      matrices.append(matrix)
    }
    bias = patches.bias
  }

  /// ‖ΔW‖ / ‖W‖ by Frobenius.
  func relativeWeightError(_ patches: ConvolutionPatches) -> Double {
    let (inputs, taps) = (patches.inputs, patches.taps)
    var (error, norm) = (0.0, 0.0)
    for row in 0..<patches.outputs {
      for index in 0..<inputs * taps {
        let weight = patches.weight[row * inputs * taps + index]
        let own = filters.indices.reduce(0) {
          $0 + matrices[$1][row * inputs + index / taps] * filters[$1][index]
        }
        error += (weight - own) * (weight - own)
        norm += weight * weight
      }
    }
    return norm > 0 ? (error / norm).squareRoot() : 0
  }
}
