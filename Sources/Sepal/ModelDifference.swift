import SepalGraph
import SepalPasses
import SepalValidation

/// Whether two models are the same network once both are optimised, whatever format they come from and whatever
/// their nodes are called. The keys of its JSON form are part of the command line's contract.
public struct ModelDifference: Sendable, Codable {
  public struct Nodes: Sendable, Codable {
    public var a: Int
    public var b: Int
    /// Nodes that have a counterpart in the other model.
    public var common: Int
  }

  /// One place where the structure differs: what each model has there, in execution order.
  public struct Place: Sendable, Codable {
    public var message: String
    public var a: [StructureComparison.Site]
    public var b: [StructureComparison.Site]
  }

  /// Constants in the same place whose values differ.
  public struct Weights: Sendable, Codable {
    public var a: StructureComparison.Site
    public var b: StructureComparison.Site
    /// The largest difference over the largest magnitude.
    public var relError: Double
  }

  /// Neither the structure nor any weight differs.
  public var same: Bool
  public var nodes: Nodes
  public var structure: [Place]
  public var weights: [Weights]
  /// The largest relative error that counts as the same weight.
  public var tolerance: Double

  /// What weights may differ by: a few roundings of float32, such as those of folding in another order.
  public static let defaultTolerance = 1e-6

  public init(
    _ a: ModelFile, _ b: ModelFile, tolerance: Double = defaultTolerance
  ) throws(SepalError) {
    let comparison = StructureComparison(
      try Self.optimized(a), try Self.optimized(b), tolerance: tolerance)
    same = comparison.isSame
    nodes = Nodes(
      a: comparison.firstNodeCount, b: comparison.secondNodeCount, common: comparison.commonNodeCount)
    structure = comparison.differences.map { Place(message: $0.message, a: $0.first, b: $0.second) }
    weights = comparison.weightDifferences.map {
      Weights(a: $0.first, b: $0.second, relError: $0.relativeError)
    }
    self.tolerance = tolerance
  }

  private static func optimized(_ file: ModelFile) throws(SepalError) -> Graph {
    var graph = file.graph
    do {
      _ = try Optimizer().run(&graph)
    } catch {
      throw SepalError(.internalError, "\(file.path): \(error)")
    }
    return graph
  }
}
