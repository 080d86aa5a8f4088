/// How many singular values each of several matrices keeps where those stay that are largest, of whichever matrix: of
/// all choices with as many values in all the one that loses least.
package struct RankOrder: Sendable {
  /// The matrix of each value, largest value first.
  private let matrices: [Int32]
  /// Σ σ² of what is lost when none, one, two, … values stay.
  private let squaredErrors: [Double]
  private let count: Int

  /// - Parameters:
  ///   - values: of each matrix, descending.
  ///   - rounding: the size, relative to its matrix's largest value, up to which a value counts as none.
  init(_ values: [[Double]], rounding: Double, rest: Double) {
    var kept: [(value: Double, matrix: Int32)] = []
    var error = rest
    for (matrix, values) in values.enumerated() {
      let least = (values.first ?? 0) * rounding
      for value in values {
        if value > least { kept.append((value, Int32(matrix))) } else { error += value * value }
      }
    }
    kept.sort { ($1.value, $0.matrix) < ($0.value, $1.matrix) }
    var errors = [error]
    for value in kept.reversed() {
      error += value.value * value.value
      errors.append(error)
    }
    matrices = kept.map(\.matrix)
    squaredErrors = errors.reversed()
    count = values.count
  }

  /// With so many values nothing is lost but rounding.
  package var total: Int { matrices.count }

  package func squaredError(total: Int) -> Double { squaredErrors[min(total, matrices.count)] }

  /// Of each matrix.
  package func ranks(total: Int) -> [Int] {
    var ranks = [Int](repeating: 0, count: count)
    for matrix in matrices.prefix(total) { ranks[Int(matrix)] += 1 }
    return ranks
  }
}
