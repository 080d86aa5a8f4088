import SepalGraph
import SepalTensor

/// Runs one graph with batches of any size: a batch is planned for when it first comes, and the latest few plans are
/// kept. Not for use by two threads at once.
public final class ReplanningSession {
  private let graph: Graph
  private let options: ModelOptions
  private let capacity: Int
  /// The latest used last.
  private var sessions: [(shapes: [String: [Int]], session: Session)] = []

  /// - Parameter capacity: plans that are kept, each with packed weights and memory of its own.
  public init(_ graph: Graph, options: ModelOptions = ModelOptions(), capacity: Int = 4) {
    self.graph = graph
    self.options = options
    self.capacity = max(1, capacity)
  }

  /// Runs the model on one tensor per input, by name, and returns its outputs by name.
  ///
  /// - Throws: as `Session.run(inputs:)`; `inputMismatch` for shapes that the graph has no meaning for.
  public func run(inputs: [String: Tensor]) throws(RuntimeError) -> [String: Tensor] {
    try session(for: inputs.mapValues(\.shape)).run(inputs: inputs)
  }

  /// The session for inputs of these shapes, planned now or kept from before.
  public func session(for shapes: [String: [Int]]) throws(RuntimeError) -> Session {
    if let index = sessions.firstIndex(where: { $0.shapes == shapes }) {
      sessions.append(sessions.remove(at: index))
    } else {
      let reshaped: Graph
      do throws(GraphError) {
        reshaped = try graph.withInputShapes(shapes)
      } catch {
        throw RuntimeError(.inputMismatch, node: error.node, error.message)
      }
      let session = try Model(reshaped, options: options).makeSession()
      if sessions.count == capacity { sessions.removeFirst() }
      sessions.append((shapes, session))
    }
    return sessions[sessions.count - 1].session
  }
}
