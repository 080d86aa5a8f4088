import SepalGraph

/// A rewrite of many nodes that is decided for the whole graph at once.
package protocol GraphPass: Sendable {
  static var name: String { get }
}

/// A pass that takes only what is cheaper.
protocol CostedPass: Pass {
  var cost: any CostModel { get set }
}

/// One kind of rewrite, one file each, listed in `Pipeline.swift`.
///
/// A pass looks at one node, proposes, and never changes the graph itself. It must not keep a copy of the graph:
/// the driver then could no longer change it in place.
public protocol Pass: Sendable {
  /// What the command line, the report and the rewrite log call it: kebab-case, starting with a verb.
  static var name: String { get }

  init()

  /// The rewrite for the pattern that is rooted at `node`, or nil.
  ///
  /// Nodes come in topological order. After a rewrite its new nodes and their neighbours come again.
  /// One instance serves a whole optimisation, so what is remembered here must stay true when the graph changes.
  mutating func rewrite(_ node: Node, in graph: Graph) -> Rewrite?
}
