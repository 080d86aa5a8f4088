import SepalGraph

/// Every layer of a graph that has a kernel, what structure its weights have, and what would be made of it.
public struct SeparableAnalysis: Sendable {
  /// In topological order. Layers that are separable already are not listed, products over channels only where they are
  /// nearly of low rank.
  public let layers: [SeparableLayerReport]
  /// What costs are counted in.
  public let unit: String

  /// Takes time linear in the weights, on all processors.
  public init(_ graph: Graph, _ separation: Separation, cost: any CostModel = MACCost()) {
    unit = cost.unit
    let planner = SeparationPlanner(
      separation: separation, cost: cost, history: SeparationHistory(graph.provenance))
    layers = planner.reports(graph).map { layer in
      var layer = layer
      layer.bounds = SeparateConvolutions().rewrite(layer, in: graph)?.bounds
      return layer
    }
  }
}
