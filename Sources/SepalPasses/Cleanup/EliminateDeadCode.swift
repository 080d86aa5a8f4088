import SepalGraph

/// Removes nodes whose results nobody reads, with the constants that only they read.
///
/// Before: y = f(x), y unread     After: nothing
/// Requires: no output of the node has a reader or is a graph output.
/// Exactness: exact.
struct EliminateDeadCode: Pass {
  static let name = "eliminate-dead-code"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.outputs.allSatisfy({ graph.useCount(of: $0) == 0 }) else { return nil }
    return Rewrite(removing: [node.id], exactness: .exact)
  }
}
