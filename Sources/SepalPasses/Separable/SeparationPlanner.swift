import SepalGraph
import SepalTensor

/// Looks at every layer of a graph and decides which are replaced by what. The graph stays as it is.
///
/// Linear in the weights; one layer's factors are in memory at a time.
struct SeparationPlanner {
  let separation: Separation
  let cost: any CostModel
  let history: SeparationHistory
  /// Whether layers are of interest that have no structure to use.
  var looksAtAll = true

  /// A layer that was looked at, and what it could be.
  fileprivate struct Candidate {
    var report: SeparableLayerReport
    /// Cheaper than the layer, whatever the error.
    var options: [SeparableLayerReport.Choice]
  }

  func reports(_ graph: Graph) -> [SeparableLayerReport] {
    var candidates = graph.nodes.compactMap { candidate($0, in: graph) }
    let ladders = candidates.map { candidate in
      SeparationBudget.Ladder(
        [.init(squaredError: 0, cost: candidate.report.cost, option: nil)]
          + candidate.options.enumerated().map { index, option in
            .init(
              squaredError: option.isExact ? 0 : option.relativeError * option.relativeError,
              cost: option.cost, option: index)
          })
    }
    let tolerance = separation.tolerance
    let chosen = SeparationBudget.spend(max(0, tolerance * tolerance - history.squaredError), on: ladders)
    for (index, option) in chosen.enumerated() {
      if let option { candidates[index].choose(option, cost) } else { candidates[index].keep(separation) }
    }
    return candidates.map(\.report)
  }

  fileprivate func candidate(_ node: Node, in graph: Graph) -> Candidate? {
    guard let result = SeparableLayer.layer(node, in: graph) else { return nil }
    switch result {
    case .failure(let refused):
      guard node.op is Conv || node.op is ConvTranspose else { return nil }
      return Candidate(refused: node, refused.reason, in: graph)
    case .success(let layer):
      let isApproximate = separation.tolerance > 0 && !history.made(node)
      var structures = LayerStructure.candidates(layer)
      if !isApproximate && !(looksAtAll && layer.taps > 1) {
        structures.removeAll {
          RankTest(layer: layer).rulesOut($0, upTo: LayerStructure.largestRank(layer, $0))
        }
      }
      guard !structures.isEmpty,
        let whole = SeparableWiring(layer: layer, structure: structures[0]).graph(nil)
      else { return nil }
      let wanted = structures
      let candidate = Candidate(
        layer, whole, cost.cost(of: whole),
        parallelMap(structures.count) { LayerStructure(layer, wanted[$0]) },
        isApproximate: isApproximate, cost)
      // Of products over channels only those that are worth a word.
      return layer.taps == 1 && candidate.options.allSatisfy({ !$0.isExact && $0.relativeError > 0.05 })
        ? nil : candidate
    }
  }
}

extension SeparationPlanner.Candidate {
  fileprivate init(refused node: Node, _ reason: SeparableLayer.Refusal, in graph: Graph) {
    let macs = node.op.macs(graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) })
    report = SeparableLayerReport(
      node: node.id, name: node.name, kernel: "", macs: macs, cost: 0, verdict: .keep,
      reason: reason.rawValue, choice: nil, bounds: nil, spectra: [])
    options = []
  }

  fileprivate init(
    _ layer: SeparableLayer, _ whole: Graph, _ cost: Double, _ structures: [LayerStructure],
    isApproximate: Bool, _ model: any CostModel
  ) {
    let macs = MACCost().count(of: whole)
    report = SeparableLayerReport(
      node: layer.node.id, name: layer.node.name, kernel: layer.kernelText, macs: macs, cost: cost,
      verdict: .keep, reason: "", choice: nil, bounds: nil,
      spectra: structures.map { structure in
        let energies = structure.spectrum.energies
        return (structure.structure, energies.map { layer.energy > 0 ? $0 / layer.energy : 0 })
      })
    options = []
    for structure in structures {
      let spectrum = structure.spectrum
      for rank in Self.ranks(spectrum, isApproximate: isApproximate) {
        let wiring = SeparableWiring(layer: layer, structure: structure.structure)
        if rank > 1, !SeparableWiring.canAddUp(layer, structure.structure) { break }
        let shapes = LayerStructure.shapes(layer, structure.structure, rank: rank)
        guard let parts = wiring.graph(shapes) else { break }
        let partsMACs = MACCost().count(of: parts)
        // More of them never pay, and every further rank has more.
        guard partsMACs < macs else { break }
        let error = layer.energy > 0 ? spectrum.squaredError(rank: rank) / layer.energy : 0
        options.append(
          .init(
            structure: structure.structure, rank: rank, relativeError: error.squareRoot(), macs: partsMACs,
            cost: model.cost(of: parts), isExact: spectrum.exactRank.map { rank >= $0 } ?? false))
      }
    }
  }

  /// The least exact rank, and for approximation those below it: each of few, about a dozen of many.
  private static func ranks(_ spectrum: Spectrum, isApproximate: Bool) -> [Int] {
    let exact = spectrum.exactRank.map { max(1, $0) }
    let most = exact ?? spectrum.energies.count
    var ranks: [Int] = []
    var rank = 1
    while rank < most {
      ranks.append(rank)
      rank = max(rank + 1, rank * 5 / 4)
    }
    ranks.append(most)
    return isApproximate || exact == nil ? ranks : [most]
  }

  fileprivate mutating func choose(_ option: Int, _ model: any CostModel) {
    let choice = options[option]
    report.choice = choice
    report.verdict = .rewrite
    let share = report.cost > 0 ? choice.cost / report.cost : 1
    report.reason = "\(percent(share)) of the \(model.unit)"
  }

  fileprivate mutating func keep(_ separation: Separation) {
    guard report.reason.isEmpty else { return }
    let cheaper = options.filter { $0.cost < report.cost }
    guard let nearest = cheaper.min(by: { ($0.relativeError, $0.cost) < ($1.relativeError, $1.cost) }) else {
      report.choice = options.min { ($0.relativeError, $0.cost) < ($1.relativeError, $1.cost) }
      let isSeparable = options.contains { $0.isExact }
      report.reason = isSeparable ? "separable, but not faster" : "nothing separable would be faster"
      return
    }
    report.choice = nearest
    let error = "the nearest that would be faster is \(percent(nearest.relativeError)) off"
    report.reason = separation.tolerance > 0 ? "\(error), the budget is spent" : error
  }

  private func percent(_ value: Double) -> String {
    let tenths = Int((value * 1000).rounded())
    return tenths >= 100 || tenths % 10 == 0 ? "\((tenths + 5) / 10)%" : "\(tenths / 10).\(tenths % 10)%"
  }
}
