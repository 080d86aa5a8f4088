import SepalGraph
import SepalTensor

/// What a model does when it runs, for people and tools to read.
public struct Plan: Sendable, CustomStringConvertible {
  public struct Step: Sendable {
    /// The nodes that it computes, in order; none where the plan copies a value into another form.
    public let nodes: [String]
    /// Their operators.
    public let op: String
    /// The kernel and its path, such as `gemm 196x384x64, rows`; `reference` where no fast kernel exists.
    public let kernel: String
    /// Threads that share the step; 0 when there is nothing to run.
    public let threads: Int
    /// Multiply-adds of the nodes.
    public let macs: Int
    /// Bytes of its operands, results and weights, each counted once.
    public let movedBytes: Int
    public let output: TensorType?
    /// Where the first output is in the arena, in bytes.
    public let offset: Int
    package let nodeIDs: [NodeID]
    /// Outputs a side of the tiles of Winograd's algorithm, if that is how it is computed.
    package let winogradTile: Int?

    public var isReference: Bool { kernel == "reference" }
  }

  public let instructionSet: InstructionSet
  public let threads: Int
  /// In execution order.
  public let steps: [Step]
  /// Memory of the values that steps hand to each other.
  public let arenaBytes: Int
  /// Memory that steps work in, of all threads.
  public let scratchBytes: Int

  init(_ planner: Planner, _ instructionSet: InstructionSet) {
    self.instructionSet = instructionSet
    threads = planner.threads
    arenaBytes = planner.arenaBytes
    scratchBytes = planner.scratchBytes * planner.threads
    let graph = planner.graph
    steps = planner.steps.map { step in
      var offset = 0
      if case .arena(let place)? = step.outputs.first { offset = place }
      return Step(
        nodes: step.nodes.map(\.name), op: Self.operators(step.nodes),
        kernel: step.kernel.summary, threads: step.threads,
        macs: step.nodes.reduce(0) { sum, node in
          sum
            + (node.op.macs(graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) }))
        }, movedBytes: step.movedBytes, output: step.nodes.last.map { graph.type(of: $0.output) },
        offset: offset, nodeIDs: step.nodes.map(\.id), winogradTile: (step.kernel as? WinogradKernel)?.tile)
    }
  }

  /// `2 Conv, MaxPool`: runs of the same are counted.
  private static func operators(_ nodes: [Node]) -> String {
    var runs: [(name: String, count: Int)] = []
    for node in nodes {
      if runs.last?.name == node.op.name {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((node.op.name, 1))
      }
    }
    return runs.map { $0.count > 1 ? "\($0.count) \($0.name)" : $0.name }.joined(separator: ", ")
  }

  /// One line a step: offset, output type, threads, nodes, operators, kernel.
  public var description: String {
    let head =
      "\(instructionSet.rawValue), \(threads) threads, arena \(arenaBytes) bytes, scratch \(scratchBytes) bytes"
    let lines = steps.map {
      "@\($0.offset) \($0.output.map { "\($0)" } ?? "-") x\($0.threads) '\($0.nodes.joined(separator: "', '"))' "
        + "(\($0.op)): \($0.kernel)"
    }
    return ([head] + lines).joined(separator: "\n")
  }
}
