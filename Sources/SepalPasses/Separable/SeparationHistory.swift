import SepalGraph

/// What earlier approximations have done to a graph, by its provenance.
struct SeparationHistory: Sendable {
  /// Σ e².
  let squaredError: Double
  /// `name (Op)` of the nodes that they made.
  private let nodes: Set<String>

  init(_ provenance: Provenance) {
    var squaredError = 0.0
    var nodes: Set<String> = []
    let passes = [SeparateConvolutions.name, SeparableApproximation.passName]
    for record in provenance.rewrites where passes.contains(record.pass) {
      guard case .approximate(let error) = record.exactness else { continue }
      squaredError += error * error
      nodes.formUnion(record.after)
    }
    self.squaredError = squaredError
    self.nodes = nodes
  }

  /// Whether `node` is part of an approximation. Such nodes are not approximated again: the bounds of the layer that they
  /// stand for would no longer hold.
  func made(_ node: Node) -> Bool { nodes.contains("\(node.name) (\(node.op.name))") }
}
