import SepalGraph
import SepalTensor

/// Where a value's bytes are while a session runs.
enum Location: Sendable {
  case arena(offset: Int)
  case constant(Tensor)
}

/// One node of the plan.
struct PlannedStep: Sendable {
  let node: Node
  let kernel: any Kernel
  /// Threads that share the units; 1 is serial, 0 means that there is nothing to run.
  let threads: Int
  let inputs: [Location?]
  let outputs: [Location]
}

/// Kernel choice → memory plan → thread partition.
struct Planner {
  /// Multiply-adds (or moved elements) that are worth waking a thread for.
  private static let workPerThread = 40_000

  let graph: Graph
  let functions: KernelFunctions
  let threads: Int
  let weights = WeightStore.Builder()

  private(set) var steps: [PlannedStep] = []
  private(set) var locations: [Location?] = []
  private(set) var arenaBytes = 0

  init(_ graph: Graph, _ functions: KernelFunctions, threads: Int) {
    self.graph = graph
    self.functions = functions
    self.threads = threads
  }

  mutating func plan(maximumBytes: Int) throws(RuntimeError) {
    let nodes = graph.nodes
    for value in graph.values where !value.isConstant && value.type.byteCount > maximumBytes {
      throw RuntimeError(
        .tooLarge, "value '\(value.name)' is \(value.type), more than \(maximumBytes) bytes")
    }
    let kernels = nodes.map { chooseKernel(for: site($0)) }
    let buffers = assignBuffers(nodes, kernels)
    let memory = MemoryPlan(buffers.all)
    arenaBytes = memory.arenaBytes
    guard arenaBytes <= maximumBytes else {
      throw RuntimeError(
        .tooLarge, "the activations take \(arenaBytes) bytes, more than \(maximumBytes)")
    }
    locations = buffers.ofValue.map { $0.map { .arena(offset: memory.offsets[$0]) } }
    for value in graph.values {
      if let constant = value.constant { locations[value.id.index] = .constant(constant) }
    }
    steps = zip(nodes, kernels).map { node, kernel in
      PlannedStep(
        node: node, kernel: kernel,
        threads: min(threads, kernel.units, max(1, kernel.work / Self.workPerThread)),
        inputs: node.inputs.map { $0.flatMap { locations[$0.index] } },
        outputs: node.outputs.compactMap { locations[$0.index] })
    }
  }

  private func site(_ node: Node) -> Site {
    Site(
      node: node, inputs: graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) },
      constants: node.inputs.map { graph.constant($0) }, functions: functions, weights: weights)
  }

  private struct Buffers {
    var all: [MemoryPlan.Buffer] = []
    /// Indexed by value.
    var ofValue: [Int?]
  }

  /// Gives every value that is not a constant a buffer; aliases share one, and so does an operand with the result that
  /// may take its place.
  private func assignBuffers(_ nodes: [Node], _ kernels: [any Kernel]) -> Buffers {
    let slots = 1 + (graph.values.last?.id.index ?? -1)
    var buffers = Buffers(ofValue: Array(repeating: nil, count: slots))
    func add(_ value: ValueID, first: Int) {
      buffers.ofValue[value.index] = buffers.all.count
      buffers.all.append(
        MemoryPlan.Buffer(byteCount: graph.type(of: value).byteCount, first: first, last: first))
    }
    // Inputs keep their values, so that a session can run again without being filled again.
    for input in graph.inputs {
      add(input, first: 0)
      buffers.all[buffers.all.count - 1].last = nodes.count
    }
    for (step, node) in nodes.enumerated() {
      if kernels[step] is AliasKernel, let input = node.input(0) {
        buffers.ofValue[node.output.index] = buffers.ofValue[input.index]
      } else {
        for output in node.outputs { add(output, first: step) }
      }
    }
    for (step, node) in nodes.enumerated() {
      for input in node.inputs {
        if let input, let buffer = buffers.ofValue[input.index] {
          buffers.all[buffer].last = max(buffers.all[buffer].last, step)
        }
      }
    }
    for output in graph.outputs {
      if let buffer = buffers.ofValue[output.value.index] { buffers.all[buffer].last = nodes.count }
    }
    takeOver(nodes, kernels, &buffers)
    return buffers
  }

  /// Lets results take over the memory of operands that nobody reads afterwards.
  private func takeOver(_ nodes: [Node], _ kernels: [any Kernel], _ buffers: inout Buffers) {
    // Where a buffer went; taken-over buffers shrink to nothing.
    var heir = Array(buffers.all.indices)
    for (step, node) in nodes.enumerated() {
      guard node.outputs.count == 1, let own = buffers.ofValue[node.output.index],
        !(kernels[step] is AliasKernel)
      else { continue }
      for index in kernels[step].inPlaceOperands {
        guard let input = node.input(index), let original = buffers.ofValue[input.index] else { continue }
        let buffer = heir[original]
        let others = node.inputs.enumerated().filter { $0.offset != index }
          .compactMap { $0.element.flatMap { buffers.ofValue[$0.index] } }
        guard buffers.all[buffer].last == step, buffers.all[buffer].byteCount == buffers.all[own].byteCount,
          !others.contains(where: { heir[$0] == buffer })
        else { continue }
        buffers.all[buffer].last = buffers.all[own].last
        buffers.all[own].byteCount = 0
        heir[own] = buffer
        break
      }
    }
    for index in buffers.ofValue.indices {
      if let buffer = buffers.ofValue[index] { buffers.ofValue[index] = heir[buffer] }
    }
  }
}
