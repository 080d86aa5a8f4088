/// How a layer's weights can be written as a product of two smaller kernels, or as a sum of such products.
public enum SeparableStructure: String, Sendable, CaseIterable {
  /// Each input channel by itself, then a product over channels.
  case depthwisePointwise = "depthwise, pointwise"
  /// A product over channels, then each output channel by itself.
  case pointwiseDepthwise = "pointwise, depthwise"
  /// Along the first spatial axis, then along the others.
  case spatial = "column, row"
  /// Along the other spatial axes, then along the first.
  case spatialReversed = "row, column"
  /// Two products with fewer channels in between.
  case lowRank = "low rank"
}

/// The singular values of a layer's weights under one structure, and with them the best factors of every rank.
package struct Spectrum: Sendable {
  let structure: SeparableStructure
  /// Of each channel.
  private let matrices: [SingularValues]
  /// Of each matrix: one for each channel, or one in all.
  private let values: [[Double]]
  /// Σ σ² that was not resolved into values.
  private let rest: Double
  /// The relative size below which a singular value is rounding.
  private let rounding: Double

  /// The most ranks that can differ.
  let fullRank: Int

  /// Σ over the matrices of σ² of each rank, descending.
  package let energies: [Double]

  /// Which values stay where ranks differ.
  package let order: RankOrder

  /// Σ σ².
  package var total: Double { squaredError(rank: 0) }

  /// ‖ΔW‖² when only the first `rank` values of each matrix stay.
  package func squaredError(rank: Int) -> Double { energies.dropFirst(rank).reduce(rest, +) }

  /// The least rank of which every matrix is, up to rounding; nil where that is not known to be less than full.
  package var exactRank: Int? {
    guard rest <= 0x1p-46 * (energies.reduce(0, +) + rest) else { return nil }
    let rank = values.reduce(0) { rank, values in
      let least = (values.first ?? 0) * rounding
      return max(rank, values.firstIndex { $0 <= least } ?? values.count)
    }
    return rank < fullRank ? rank : nil
  }

  init(
    _ structure: SeparableStructure, _ matrices: [SingularValues], fullRank: Int, rows: Int, columns: Int
  ) {
    self.init(structure, matrices, matrices.map(\.values), fullRank, max(rows, columns), 0)
  }

  /// Of one matrix, whose vectors are known elsewhere.
  init(
    _ structure: SeparableStructure, values: [Double], fullRank: Int, rows: Int, columns: Int, rest: Double
  ) {
    self.init(structure, [], [values], fullRank, max(rows, columns), rest)
  }

  private init(
    _ structure: SeparableStructure, _ matrices: [SingularValues], _ values: [[Double]], _ fullRank: Int,
    _ side: Int, _ rest: Double
  ) {
    self.structure = structure
    self.matrices = matrices
    self.values = values
    self.fullRank = fullRank
    self.rest = rest
    rounding = Double(side) * 0x1p-23
    order = RankOrder(values, rounding: rounding, rest: rest)
    let count = values.reduce(0) { max($0, $1.count) }
    energies = (0..<count).map { rank in
      values.reduce(0) { $0 + (rank < $1.count ? $1[rank] * $1[rank] : 0) }
    }
  }

  /// The vector of `rank` of matrix `index`, its largest element positive, so that equal weights have equal factors.
  func vector(_ index: Int, rank: Int) -> [Double] {
    let vectors = matrices[index].vectors
    guard rank < vectors.count else { return vectors[0].map { _ in 0 } }
    let vector = vectors[rank]
    let largest = vector.max { $0.magnitude < $1.magnitude } ?? 0
    return largest < 0 ? vector.map { -$0 } : vector
  }
}
