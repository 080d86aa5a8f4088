import SepalGraph
import SepalTensor

/// Whether two graphs are the same network, whatever their nodes and values are called and numbered.
///
/// Graphs are the same when their outputs, in order, are computed by the same operators with the same attributes
/// from the same inputs, in order, and from constants of the same types and, within a tolerance, values; and when
/// what one computes once the other computes once.
public struct StructureComparison: Sendable, Hashable {
  /// A node, or a graph input or constant, of one of the graphs.
  public struct Site: Sendable, Hashable, Codable {
    public var name: String
    /// The operator with the attributes that are not at their defaults; `input` or `constant`.
    public var op: String
    /// Of the (first) output.
    public var type: String
    /// Source tensors that it stands for.
    public var origins: [String]
  }

  /// One place where the graphs differ: what the first has there, and what the second.
  public struct Difference: Sendable, Hashable {
    public var message: String
    public var first: [Site]
    public var second: [Site]
  }

  /// Constants in the same place whose values differ.
  public struct WeightDifference: Sendable, Hashable {
    public var first: Site
    public var second: Site
    /// The largest difference over the largest magnitude; infinite when only one is finite.
    public var relativeError: Double
  }

  /// In execution order of the first graph.
  public let differences: [Difference]
  public let weightDifferences: [WeightDifference]
  public let firstNodeCount: Int
  public let secondNodeCount: Int
  /// Nodes that have a counterpart in the other graph.
  public let commonNodeCount: Int

  public var isSameStructure: Bool { differences.isEmpty }
  public var isSame: Bool { differences.isEmpty && weightDifferences.isEmpty }

  /// Compares in time linear in the graphs and their constants.
  /// - Parameter tolerance: of constants' elements, relative to the constant's largest magnitude.
  public init(_ first: Graph, _ second: Graph, tolerance: Double = 1e-6) {
    var walk = StructureWalk(first, second)
    walk.run()
    differences = walk.differencesInOrder()
    weightDifferences = walk.constantPairs.compactMap { a, b in
      guard let x = first.constant(a), let y = second.constant(b) else { return nil }
      let error = x.relativeError(of: y)
      guard error > tolerance else { return nil }
      return WeightDifference(first: first.site(of: a), second: second.site(of: b), relativeError: error)
    }
    firstNodeCount = first.nodeCount
    secondNodeCount = second.nodeCount
    commonNodeCount = walk.commonNodeCount
  }
}
