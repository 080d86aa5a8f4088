/// What an importer hands over: the graph as the source describes it, and what had to be decided on the way.
public struct ImportedModel: Sendable {
  public var graph: Graph
  /// Decisions worth telling the user, such as "dimension 'batch' of input 'x' is fixed to 1".
  public var notes: [String]
  /// Paths of the files beside the model's own that hold parts of it, in byte order of the names by which the model
  /// refers to them.
  public var companions: [String]

  public init(graph: Graph, notes: [String] = [], companions: [String] = []) {
    self.graph = graph
    self.notes = notes
    self.companions = companions
  }

  /// Nodes (or layers) in the source file.
  public var sourceNodeCount: Int { graph.provenance.sourceNodeCount }
}
