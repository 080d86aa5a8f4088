/// Spends an error budget over layers: what each can be replaced by is cheaper the larger the error, and the budget goes
/// where a unit of squared error saves most.
struct SeparationBudget {
  /// What one layer can be; the first is to leave it as it is or what costs no error.
  struct Ladder: Sendable {
    struct Rung: Sendable {
      var squaredError: Double
      var cost: Double
      /// Which option it is; nil for the layer itself.
      var option: Int?
    }

    /// Costs fall and errors rise, and each step saves less for its error than the one before.
    private(set) var rungs: [Rung]

    /// - Parameter rungs: in any order, with one that has no error.
    init(_ rungs: [Rung]) {
      var hull: [Rung] = []
      for rung in rungs.sorted(by: { ($0.squaredError, $0.cost) < ($1.squaredError, $1.cost) }) {
        if let last = hull.last, rung.cost >= last.cost { continue }
        while hull.count > 1,
          Self.saving(hull[hull.count - 2], hull[hull.count - 1]) <= Self.saving(hull[hull.count - 1], rung)
        {
          hull.removeLast()
        }
        if let last = hull.last, last.squaredError == rung.squaredError { hull.removeLast() }
        hull.append(rung)
      }
      self.rungs = hull
    }

    static func saving(_ from: Rung, _ to: Rung) -> Double {
      let error = to.squaredError - from.squaredError
      return error > 0 ? (from.cost - to.cost) / error : .infinity
    }
  }

  /// The rung of each ladder: as far up as the budget of squared errors reaches, largest saving first.
  ///
  /// - Returns: for each ladder the option that is chosen.
  static func spend(_ budget: Double, on ladders: [Ladder]) -> [Int?] {
    var positions = [Int](repeating: 0, count: ladders.count)
    var steps: [(ladder: Int, rung: Int, saving: Double, error: Double)] = []
    for (index, ladder) in ladders.enumerated() {
      for rung in 1..<max(1, ladder.rungs.count) {
        steps.append(
          (
            index, rung, Ladder.saving(ladder.rungs[rung - 1], ladder.rungs[rung]),
            ladder.rungs[rung].squaredError - ladder.rungs[rung - 1].squaredError
          ))
      }
    }
    // Within a ladder savings fall, so that its steps come in order.
    steps.sort { ($1.saving, $0.ladder, $0.rung) < ($0.saving, $1.ladder, $1.rung) }
    var left = budget
    var isStuck = [Bool](repeating: false, count: ladders.count)
    for step in steps where !isStuck[step.ladder] {
      if step.error <= left {
        left -= step.error
        positions[step.ladder] = step.rung
      } else {
        isStuck[step.ladder] = true
      }
    }
    return zip(positions, ladders).map { position, ladder in
      position < ladder.rungs.count ? ladder.rungs[position].option : nil
    }
  }
}
