import SepalGraph
import SepalTensor

/// Evaluates both sides of a rewrite on probes and compares them.
struct SiteComparison {
  /// What differs, and by how much; nil when nothing does.
  private(set) var objection: String?

  /// Magnitudes of the probes, and whether they are positive, in turn: what activations do shows at different ones.
  private static let probes: [(scale: Double, isPositive: Bool)] = [(1, false), (32, false), (4, true)]
  /// More where they cost little: a unit that an activation has shut shows nothing of its weights.
  private static let probeCounts = 3...12
  private static let affordableOperations = 2e6
  /// How often the new constants are moved, for each probe.
  private static let perturbations = 2
  /// The largest accepted multiple of what moving them did.
  private static let tolerance = 8.0

  init(_ site: RewriteSite, exactness: Exactness) throws(GraphError) {
    var random = SplitMix64(seed: 0x5EED)
    let affordable = Int(min(100, Self.affordableOperations / site.graph.operations))
    let count = min(max(affordable, Self.probeCounts.lowerBound), Self.probeCounts.upperBound)
    for index in 0..<(exactness == .exact ? Self.probeCounts.lowerBound : count) {
      let probe = Self.probes[index % Self.probes.count]
      let inputs = Self.inputs(of: site.graph, probe.scale, isPositive: probe.isPositive, &random)
      let results = try site.graph.evaluate(inputs, precision: .double)
      var perturbed: [[String: Tensor]] = []
      if exactness != .exact && !site.newConstants.isEmpty {
        for _ in 0..<Self.perturbations {
          let graph = Self.perturbed(site, &random)
          perturbed.append(try graph.evaluate(inputs, precision: .double))
        }
      }
      for pair in 0..<site.graph.outputs.count / 2 {
        let names = RewriteSite.names(ofPair: pair)
        guard let old = results[names.old], let new = results[names.new], old.type == new.type else {
          objection = "what it makes is of another type"
          return
        }
        objection = Self.difference(
          old, new, moved: perturbed.compactMap { $0[names.new]?.doubles() }, exactness)
        if objection != nil { return }
      }
    }
  }

  private static func difference(
    _ old: Tensor, _ new: Tensor, moved: [[Double]], _ exactness: Exactness
  ) -> String? {
    let (before, after) = (old.doubles(), new.doubles())
    func isSame(_ index: Int) -> Bool {
      before[index] == after[index] || before[index].isNaN && after[index].isNaN
    }
    guard let first = before.indices.first(where: { !isSame($0) }) else { return nil }
    switch exactness {
    case .exact:
      // Sums in double precision may still run in another order where the layout is another.
      let magnitude = AxisMagnitudes(shape: old.shape, [before])
      let wrong = (first..<before.count).first { index in
        !isSame(index) && !((before[index] - after[index]).magnitude <= 0x1p-40 * magnitude.around(index))
      }
      return wrong.map { "is said to be exact, and changes \(before[$0]) into \(after[$0])" }
    case .approximate(let relative):
      let squares = zip(before, after).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
      let error = (squares / before.reduce(.leastNormalMagnitude) { $0 + $1 * $1 }).squareRoot()
      return error <= 2 * relative + 0x1p-20
        ? nil : "is said to be right to \(relative), and has the relative error \(error)"
    case .reassociated:
      guard old.element.isFloat else { return "changes \(before[first]) into \(after[first])" }
      let magnitude = AxisMagnitudes(shape: old.shape, [before])
      let effect = AxisMagnitudes(shape: old.shape, moved.map { zip($0, after).map { $0 - $1 } })
      for index in first..<before.count where !isSame(index) {
        let error = (before[index] - after[index]).magnitude
        let bound = tolerance * (effect.around(index) + 0x1p-24 * magnitude.around(index))
        guard error <= bound else {
          return
            "changes \(before[index]) into \(after[index]): by \(error), where rounding explains \(bound)"
        }
      }
      return nil
    }
  }

  private static func inputs(
    of graph: Graph, _ scale: Double, isPositive: Bool, _ random: inout SplitMix64
  ) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let type = graph.type(of: id)
      let values = (0..<type.count).map { _ -> Double in
        guard type.element.isFloat else { return Double(random.next() & 1) }
        // Four uniform numbers: mean 0, variance 1/3.
        let sum = (0..<4).reduce(-2.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 }
        return scale * (isPositive ? sum.magnitude : sum)
      }
      let element = type.element.isFloat ? ElementType.float64 : type.element
      inputs[graph.value(id).name] = Tensor(element, type.shape, doubles: values)
    }
    return inputs
  }

  /// The site's graph with the constants that the rewrite makes moved by one unit in their last place, up or down.
  private static func perturbed(_ site: RewriteSite, _ random: inout SplitMix64) -> Graph {
    var graph = site.graph
    for id in site.newConstants {
      guard let tensor = graph.constant(id), tensor.element == .float32 else { continue }
      let moved = tensor.floats().map { random.next() & 1 == 0 ? $0.nextUp : $0.nextDown }
      graph.replaceElements(of: id, by: Tensor(tensor.shape, floats: moved))
    }
    return graph
  }
}
