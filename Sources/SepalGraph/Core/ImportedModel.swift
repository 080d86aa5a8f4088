/// What an importer hands over: the graph as the source describes it, and what had to be decided on the way.
public struct ImportedModel: Sendable {
  public var graph: Graph
  /// Decisions worth telling the user, such as "dimension 'batch' of input 'x' is fixed to 1".
  public var notes: [String]

  public init(graph: Graph, notes: [String] = []) {
    self.graph = graph
    self.notes = notes
  }

  /// Nodes (or layers) in the source file.
  public var sourceNodeCount: Int { graph.provenance.sourceNodeCount }
}
