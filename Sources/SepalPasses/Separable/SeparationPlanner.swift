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

  func reports(_ graph: Graph) -> [SeparableLayerReport] {
    var candidates = graph.nodes.compactMap { candidate($0, in: graph) }
    decide(&candidates)
    return candidates.map(\.report)
  }

  /// Spends the budget on what each layer could be.
  func decide(_ candidates: inout [SeparationCandidate]) {
    let tolerance = separation.tolerance
    let chosen = SeparationBudget.spend(
      max(0, tolerance * tolerance - history.squaredError), on: candidates.map(\.ladder))
    for (index, option) in chosen.enumerated() {
      if let option { candidates[index].choose(option, cost) } else { candidates[index].keep(separation) }
    }
  }

  private func candidate(_ node: Node, in graph: Graph) -> SeparationCandidate? {
    guard let result = SeparableLayer.layer(node, in: graph) else { return nil }
    switch result {
    case .failure(let refused):
      guard node.op is Conv || node.op is ConvTranspose else { return nil }
      return SeparationCandidate(refused: node, refused.reason, in: graph)
    case .success(let layer):
      let isApproximate = separation.tolerance > 0 && !history.made(node)
      var structures = LayerStructure.candidates(layer)
      if !isApproximate && !(looksAtAll && layer.taps > 1) {
        structures.removeAll { RankTest(layer: layer).rulesOut($0) }
      }
      let wanted = structures
      let found = parallelMap(wanted.count) { LayerStructure(layer, wanted[$0]) }
      guard let candidate = SeparationCandidate(layer, found, isApproximate: isApproximate, cost) else {
        return nil
      }
      // Of products over channels only those that are worth a word.
      return layer.taps == 1 && candidate.options.allSatisfy({ !$0.isExact && $0.relativeError > 0.05 })
        ? nil : candidate
    }
  }
}
