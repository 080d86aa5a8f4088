/// What each amount of each family of kernels takes on one machine, in nanoseconds.
package struct MachineRates: Sendable, Hashable {
  /// For each family one rate for each of its terms.
  package private(set) var rates: [KernelLoad.Family: [Double]]

  /// - Returns: nil unless there is a finite rate, not below zero, for every term of every family, and each family takes time.
  package init?(_ rates: [KernelLoad.Family: [Double]]) {
    for family in KernelLoad.Family.allCases {
      guard let terms = rates[family], terms.count == family.terms.count,
        terms.allSatisfy({ $0.isFinite && $0 >= 0 }), terms.contains(where: { $0 > 0 })
      else { return nil }
    }
    self.rates = rates
  }

  /// The least-squares fit to what loads were measured to take, as a share of that: every sample counts alike.
  ///
  /// - Returns: nil where a family has no sample or the times are not positive.
  package init?(fitting samples: [(load: KernelLoad, nanoseconds: Double)]) {
    var rates: [KernelLoad.Family: [Double]] = [:]
    for family in KernelLoad.Family.allCases {
      let own = samples.filter { $0.load.family == family }
      guard own.allSatisfy({ $0.nanoseconds > 0 && $0.nanoseconds.isFinite }) else { return nil }
      let rows = own.map { sample in sample.load.amounts.map { $0 / sample.nanoseconds } }
      rates[family] = nonnegativeLeastSquares(rows, [Double](repeating: 1, count: rows.count))
    }
    self.init(rates)
  }

  package func nanoseconds(_ load: KernelLoad) -> Double {
    guard let own = rates[load.family] else { return 0 }
    return zip(own, load.amounts).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

/// The x ≥ 0 with the smallest ‖A·x − b‖, by coordinate descent; of unknowns that no row holds, 0.
///
/// Columns are scaled to length 1 first. The same bits for the same input.
func nonnegativeLeastSquares(_ rows: [[Double]], _ right: [Double]) -> [Double] {
  let unknowns = rows.first?.count ?? 0
  var lengths = [Double](repeating: 0, count: unknowns)
  for row in rows {
    for j in 0..<unknowns { lengths[j] += row[j] * row[j] }
  }
  lengths = lengths.map { $0.squareRoot() }
  var gram = [[Double]](repeating: [Double](repeating: 0, count: unknowns), count: unknowns)
  var projected = [Double](repeating: 0, count: unknowns)
  for (row, value) in zip(rows, right) {
    for j in 0..<unknowns where lengths[j] > 0 {
      projected[j] += row[j] / lengths[j] * value
      for k in 0..<unknowns where lengths[k] > 0 { gram[j][k] += row[j] / lengths[j] * row[k] / lengths[k] }
    }
  }
  var x = [Double](repeating: 0, count: unknowns)
  for _ in 0..<20_000 {
    var change = 0.0
    for j in 0..<unknowns where lengths[j] > 0 {
      var gradient = projected[j]
      for k in 0..<unknowns { gradient -= gram[j][k] * x[k] }
      let next = max(0, x[j] + gradient / gram[j][j])
      change = max(change, abs(next - x[j]))
      x[j] = next
    }
    if change < 1e-9 { break }
  }
  return zip(x, lengths).map { $1 > 0 ? $0 / $1 : 0 }
}
