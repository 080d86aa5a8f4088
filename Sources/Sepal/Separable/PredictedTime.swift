import SepalGraph
import SepalPasses
import SepalRuntime

/// Counts a graph's milliseconds on one core of this machine, as `MachineCost` predicts them for a part of a network.
public struct PredictedTime: CostModel {
  static let unit = "ms"
  public var unit: String { Self.unit }
  private let machine: MachineCost

  public init(_ machine: MachineCost) { self.machine = machine }

  /// Infinite where the graph cannot be planned, and where channels would be gathered by the operator's own evaluation:
  /// that allocates, and takes up to several times what is predicted.
  public func cost(of graph: Graph) -> Double {
    let gathers = graph.nodes.filter { $0.op is Gather }.map(\.name)
    if !gathers.isEmpty {
      let steps = (try? machine.steps(of: graph)) ?? []
      let isSlow = steps.contains { $0.kernel == "reference" && !Set($0.nodes).isDisjoint(with: gathers) }
      guard !isSlow else { return .infinity }
    }
    return (try? machine.milliseconds(of: graph, borders: .network)) ?? .infinity
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
