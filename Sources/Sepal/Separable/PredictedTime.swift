import SepalGraph
import SepalPasses
import SepalRuntime

/// Counts a graph's milliseconds on one core of this machine, as `MachineCost` predicts them for a part of a network.
public struct PredictedTime: CostModel {
  static let unit = "ms"
  public var unit: String { Self.unit }
  private let machine: MachineCost

  public init(_ machine: MachineCost) { self.machine = machine }

  /// Infinite where the graph cannot be planned.
  public func cost(of graph: Graph) -> Double {
    (try? machine.milliseconds(of: graph, borders: .network)) ?? .infinity
  }

  /// Nil where the graph cannot be planned.
  func milliseconds(ofPart graph: Graph) -> Double? {
    try? machine.milliseconds(of: graph, borders: .network)
  }

  func milliseconds(ofModel graph: Graph) -> Double? { try? machine.milliseconds(of: graph) }
}

extension MachineCost {
  /// With this machine's rates, measured in about a second unless they are in the user's cache folder.
  public static func ofThisMachine() throws(SepalError) -> MachineCost {
    do throws(RuntimeError) {
      return try MachineCost()
    } catch {
      throw SepalError(.usage, "\(error)")
    }
  }
}
