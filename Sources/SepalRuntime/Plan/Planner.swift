import SepalGraph
import SepalTensor

/// Where a value's bytes are while a session runs.
enum Location: Sendable {
  case arena(offset: Int)
  case constant(Tensor)
}

/// A tensor in memory while the model runs: a value of the graph, in one of its forms.
struct PlanValue: Sendable {
  let value: ValueID
  let type: TensorType
  let form: Form
  let byteCount: Int
  let constant: Tensor?
}

/// One step before it has addresses. Values are indices into the planner's.
struct PlanStep: Sendable {
  /// The nodes that it computes; none for a copy into another form.
  var nodes: [Node]
  var kernel: any Kernel
  var inputs: [Int?]
  var outputs: [Int]
}

/// One step of the plan.
struct PlannedStep: Sendable {
  let nodes: [Node]
  let kernel: any Kernel
  /// The most threads that may share it; 0 means that there is nothing to run.
  let threads: Int
  let inputs: [Location?]
  let outputs: [Location]
  /// Bytes of its operands, results and weights, each counted once.
  let movedBytes: Int
  /// What the outputs are.
  let results: [PlanValue]
}

/// Kernels and forms → segments → memory → threads.
struct Planner {
  /// Multiply-adds (or moved elements) that are worth waking a thread for.
  private static let workPerThread = 40_000

  let graph: Graph
  let functions: KernelFunctions
  let options: ModelOptions
  let threads: Int
  let weights = WeightStore.Builder()

  private(set) var values: [PlanValue] = []
  private(set) var steps: [PlannedStep] = []
  /// Where inputs and outputs of the graph are, by value.
  private(set) var locations: [Location?] = []
  private(set) var arenaBytes = 0
  private(set) var scratchBytes = 0

  /// For each value of the graph its form of origin, and its copies in other forms.
  private var original: [Int?] = []
  private var copies: [ValueID: [Form: Int]] = [:]
  private var drafts: [PlanStep] = []

  private init(_ graph: Graph, _ functions: KernelFunctions, _ options: ModelOptions, threads: Int) {
    self.graph = graph
    self.functions = functions
    self.options = options
    self.threads = threads
  }

  /// The plan of a graph, with nothing packed yet.
  ///
  /// - Throws: `unavailableInstructionSet`, `invalidGraph`, `tooLarge`.
  init(planning graph: Graph, _ options: ModelOptions, _ instructionSet: InstructionSet) throws(RuntimeError)
  {
    guard let functions = instructionSet.kernels else {
      throw RuntimeError(
        .unavailableInstructionSet, "\(instructionSet.rawValue) is not available on this machine")
    }
    do throws(GraphError) {
      try graph.verify()
    } catch {
      throw RuntimeError(.invalidGraph, "\(error)")
    }
    self.init(graph, functions, options, threads: min(max(1, options.threads), 256))
    try plan()
  }

  private mutating func plan() throws(RuntimeError) {
    let maximumBytes = options.maximumActivationBytes
    for value in graph.values where !value.isConstant && value.type.byteCount > maximumBytes {
      throw RuntimeError(
        .tooLarge, "value '\(value.name)' is \(value.type), more than \(maximumBytes) bytes")
    }
    draft()
    if options.fusesSegments {
      drafts = SegmentFinder(
        drafts, values, threads: threads, vector: functions.vectorWidth, outputs: plainOutputs,
        forced: options.segmentWay
      )
      .fused()
    }
    try place(maximumBytes)
  }

  // MARK: Kernels and forms

  private mutating func draft() {
    original = Array(repeating: nil, count: 1 + (graph.values.last?.id.index ?? -1))
    for value in graph.values {
      if value.isConstant { original[value.id.index] = add(value.id, .plain, value.constant) }
    }
    for input in graph.inputs { original[input.index] = add(input, .plain) }
    for node in graph.nodes {
      let kernel = chooseKernel(for: site(node))
      let packed = kernel.packedOperands
      let inputs = node.inputs.enumerated().map { index, input in
        packed.contains(index) ? nil : input.map { value(of: $0, in: kernel.inputForm(index)) }
      }
      var outputs: [Int] = []
      for output in node.outputs {
        let index = add(output, ImageShape(graph.type(of: output)) == nil ? .plain : kernel.outputForm)
        original[output.index] = index
        outputs.append(index)
      }
      drafts.append(PlanStep(nodes: [node], kernel: kernel, inputs: inputs, outputs: outputs))
    }
    for output in graph.outputs { original[output.value.index] = value(of: output.value, in: .plain) }
  }

  private var plainOutputs: Set<Int> { Set(graph.outputs.compactMap { original[$0.value.index] }) }

  private mutating func add(_ value: ValueID, _ form: Form, _ constant: Tensor? = nil) -> Int {
    let type = graph.type(of: value)
    var bytes = type.byteCount
    if let image = ImageShape(type), constant == nil {
      // Room up to a whole vector behind the last pixel.
      let vector = functions.vectorWidth
      let floats = image.batch * image.floats(in: form, vector: vector)
      bytes = (floats + vector - 1) / vector * vector * MemoryLayout<Float>.size
    }
    values.append(PlanValue(value: value, type: type, form: form, byteCount: bytes, constant: constant))
    return values.count - 1
  }

  /// The value in the form asked for: as it is where its bytes are the same, otherwise in a copy that is made once.
  private mutating func value(of id: ValueID, in form: Form) -> Int {
    guard let origin = original[id.index] else { preconditionFailure("a value is made before it is used") }
    let from = values[origin].form
    guard let shape = ImageShape(values[origin].type), values[origin].constant == nil,
      !shape.isSame(from, form, vector: functions.vectorWidth)
    else { return origin }
    if let copy = copies[id]?[form] { return copy }
    let copy = add(id, form)
    copies[id, default: [:]][form] = copy
    drafts.append(
      PlanStep(
        nodes: [], kernel: ReorderKernel(shape, from: from, to: form, vector: functions.vectorWidth),
        inputs: [origin], outputs: [copy]))
    return copy
  }

  private func site(_ node: Node) -> Site {
    Site(
      node, in: graph,
      forms: node.inputs.map { input in
        input.flatMap { original[$0.index] }.map { values[$0].form } ?? .plain
      }, functions: functions, weights: weights, options: options)
  }

  // MARK: Memory

  private mutating func place(_ maximumBytes: Int) throws(RuntimeError) {
    let buffers = assignBuffers()
    let memory = MemoryPlan(buffers.all)
    arenaBytes = memory.arenaBytes
    scratchBytes = ((drafts.map(\.kernel.scratchBytes).max() ?? 0) + 127) / 64 * 64
    guard arenaBytes + scratchBytes * threads <= maximumBytes else {
      throw RuntimeError(
        .tooLarge,
        "the activations take \(arenaBytes + scratchBytes * threads) bytes, more than \(maximumBytes)")
    }
    func location(_ index: Int) -> Location? {
      if let constant = values[index].constant { return .constant(constant) }
      return buffers.ofValue[index].map { .arena(offset: memory.offsets[$0]) }
    }
    locations = Array(repeating: nil, count: original.count)
    for id in graph.inputs + graph.outputs.map(\.value) {
      locations[id.index] = original[id.index].flatMap(location)
    }
    steps = drafts.map { draft in
      let isParallel = draft.kernel.units > 0
      return PlannedStep(
        nodes: draft.nodes, kernel: draft.kernel,
        threads: isParallel ? min(threads, max(1, draft.kernel.work / Self.workPerThread)) : 0,
        inputs: draft.inputs.map { $0.flatMap(location) }, outputs: draft.outputs.compactMap(location),
        movedBytes: isParallel ? movedBytes(draft) : 0,
        results: draft.outputs.map { values[$0] })
    }
  }

  /// Constants that sessions do not read: their elements are in the packed weights, where they are needed at all.
  var unreadConstants: Set<ValueID> {
    var constants = Set(graph.values.lazy.filter(\.isConstant).map(\.id))
    for draft in drafts {
      for case let input? in draft.inputs { constants.remove(values[input].value) }
    }
    return constants.subtracting(graph.outputs.map(\.value))
  }

  private func movedBytes(_ draft: PlanStep) -> Int {
    let operands = draft.inputs.compactMap { $0 } + draft.outputs
    return operands.reduce(draft.kernel.weightBytes) {
      $0 + (values[$1].constant == nil ? values[$1].byteCount : 0)
    }
  }

  private struct Buffers {
    var all: [MemoryPlan.Buffer] = []
    /// Indexed by plan value.
    var ofValue: [Int?]
  }

  /// Gives every value that is not a constant a buffer; aliases share one, and so does an operand with the result that
  /// may take its place.
  private func assignBuffers() -> Buffers {
    var buffers = Buffers(ofValue: Array(repeating: nil, count: values.count))
    func add(_ value: Int, first: Int) {
      buffers.ofValue[value] = buffers.all.count
      buffers.all.append(MemoryPlan.Buffer(byteCount: values[value].byteCount, first: first, last: first))
    }
    // Inputs keep their values, so that a session can run again without being filled again.
    for input in graph.inputs {
      guard let value = original[input.index] else { continue }
      add(value, first: 0)
      buffers.all[buffers.all.count - 1].last = drafts.count
    }
    for (step, draft) in drafts.enumerated() {
      if draft.kernel is AliasKernel, let input = draft.inputs[0] {
        buffers.ofValue[draft.outputs[0]] = buffers.ofValue[input]
      } else {
        for output in draft.outputs { add(output, first: step) }
      }
    }
    for (step, draft) in drafts.enumerated() {
      for input in draft.inputs {
        if let input, let buffer = buffers.ofValue[input] {
          buffers.all[buffer].last = max(buffers.all[buffer].last, step)
        }
      }
    }
    for output in graph.outputs {
      if let value = original[output.value.index], let buffer = buffers.ofValue[value] {
        buffers.all[buffer].last = drafts.count
      }
    }
    takeOver(&buffers)
    return buffers
  }

  /// Lets results take over the memory of operands that nobody reads afterwards.
  private func takeOver(_ buffers: inout Buffers) {
    // Where a buffer went; taken-over buffers shrink to nothing.
    var heir = Array(buffers.all.indices)
    for (step, draft) in drafts.enumerated() {
      guard draft.outputs.count == 1, let own = buffers.ofValue[draft.outputs[0]],
        !(draft.kernel is AliasKernel)
      else { continue }
      for index in draft.kernel.inPlaceOperands {
        guard let input = draft.inputs[index], let original = buffers.ofValue[input] else { continue }
        let buffer = heir[original]
        let others = draft.inputs.enumerated().filter { $0.offset != index }
          .compactMap { $0.element.flatMap { buffers.ofValue[$0] } }
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
