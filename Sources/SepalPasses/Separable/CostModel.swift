import SepalGraph

/// Predicts what a graph costs to run. Rewrites that promise speed are taken where this says so.
public protocol CostModel: Sendable {
  /// What costs are counted in: `ms` or `MACs`.
  var unit: String { get }

  /// The cost of one run of `graph`, in `unit`. The same for the same graph: what is decided by it is decided once.
  func cost(of graph: Graph) -> Double
}

/// Counts multiply-adds: the same on every machine, and silent about memory.
public struct MACCost: CostModel {
  public let unit = "MACs"

  public init() {}

  /// The count, or the largest number where it is larger: a file can declare shapes of any size.
  package func count(of graph: Graph) -> Int {
    let cost = cost(of: graph)
    return cost < 0x1p62 ? Int(cost) : .max
  }

  public func cost(of graph: Graph) -> Double {
    graph.nodes.reduce(0) { sum, node in
      sum + Double(node.op.macs(graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) }))
    }
  }
}
