import SepalGraph

/// Every layer of a graph that has a kernel, what structure its weights have, and what would be made of it.
public struct SeparableAnalysis: Sendable {
  /// In topological order. Layers that are separable already are not listed, products over channels only where they are
  /// nearly of low rank.
  public let layers: [SeparableLayerReport]
  /// What costs are counted in.
  public let unit: String

  /// Takes time linear in the weights, on all processors.
  ///
  /// - Parameter inputRange: what the elements of the graph's inputs are within.
  public init(
    _ graph: Graph, _ separation: Separation, cost: any CostModel = MACCost(),
    inputRange: ClosedRange<Double>? = nil
  ) {
    unit = cost.unit
    let planner = SeparationPlanner(
      separation: separation, cost: cost, history: SeparationHistory(graph.provenance))
    layers = planner.reports(graph).map { layer in
      var layer = layer
      layer.bounds = SeparateConvolutions().rewrite(layer, in: graph)?.bounds
      if let input = graph.node(layer.node).input(0) {
        layer.inputRange = graph.range(of: input, inputs: inputRange)
      }
      if layer.verdict == .keep, let obstacle = UnusedStructure.obstacle(graph.node(layer.node), in: graph) {
        layer.reason = "\(obstacle); \(layer.reason)"
      }
      return layer
    }
  }
}
