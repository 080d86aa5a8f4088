import SepalGraph
import SepalTensor

/// What a model does when it runs, for people and tools to read.
public struct Plan: Sendable, CustomStringConvertible {
  public struct Step: Sendable {
    public let node: String
    public let op: String
    /// The kernel and its path, such as `gemm 196x384x64, rows`; `reference` where no fast kernel exists.
    public let kernel: String
    /// Threads that share the step; 0 when there is nothing to run.
    public let threads: Int
    public let output: TensorType
    /// Where the first output is in the arena, in bytes.
    public let offset: Int

    public var isReference: Bool { kernel == "reference" }
  }

  public let instructionSet: InstructionSet
  public let threads: Int
  /// In execution order.
  public let steps: [Step]
  public let arenaBytes: Int

  init(_ planner: Planner, _ instructionSet: InstructionSet) {
    self.instructionSet = instructionSet
    threads = planner.threads
    arenaBytes = planner.arenaBytes
    steps = planner.steps.map { step in
      var offset = 0
      if case .arena(let place)? = step.outputs.first { offset = place }
      return Step(
        node: step.node.name, op: step.node.op.name, kernel: step.kernel.summary, threads: step.threads,
        output: planner.graph.type(of: step.node.output), offset: offset)
    }
  }

  /// One line a step: offset, output type, threads, node, operator, kernel.
  public var description: String {
    let head = "\(instructionSet.rawValue), \(threads) threads, arena \(arenaBytes) bytes"
    let lines = steps.map {
      "@\($0.offset) \($0.output) x\($0.threads) '\($0.node)' (\($0.op)): \($0.kernel)"
    }
    return ([head] + lines).joined(separator: "\n")
  }
}
