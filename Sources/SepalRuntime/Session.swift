import SepalGraph
import SepalTensor

/// One run of a model at a time: its activations, its scratch memory and its threads.
///
/// Not for use by two threads at once; make a session for each. The plain way is `run(inputs:)`. The way without
/// allocations is to fill `inputBuffer(_:)`, call `execute()`, and read `withOutput(_:_:)`.
public final class Session {
  public let model: Model
  private let memory: SessionMemory
  private let team: Team
  /// For each step of the plan its place in the team; nil where there is nothing to run.
  private let places: [Int?]

  init(_ model: Model) {
    self.model = model
    let memory = SessionMemory(arenaBytes: model.plan.arenaBytes, weights: model.weights)
    self.memory = memory
    func address(_ location: Location) -> UnsafeMutableRawPointer {
      switch location {
      case .arena(let offset): memory.arena + offset
      case .constant(let tensor): UnsafeMutableRawPointer(mutating: memory.address(of: tensor))
      }
    }
    var bound: [(step: PlannedStep, bound: BoundStep)] = []
    var places: [Int?] = []
    for step in model.steps {
      guard step.threads > 0 else {
        places.append(nil)
        continue
      }
      let operands = Operands(
        inputs: step.inputs.map { $0.map(address) }, outputs: step.outputs.map(address), session: memory,
        functions: model.functions)
      places.append(bound.count)
      bound.append((step, step.kernel.bind(operands)))
    }
    self.places = places
    team = Team(bound, threads: model.plan.threads, memory: memory)
  }

  /// Runs the model on one tensor per input, by name, and returns its outputs by name.
  ///
  /// - Throws: `missingInput`, `unknownName`, `inputMismatch`, `operatorFailed`.
  public func run(inputs: [String: Tensor]) throws(RuntimeError) -> [String: Tensor] {
    try fill(inputs)
    try execute()
    return try outputs()
  }

  /// As `run(inputs:)`, handing over every node's outputs as they are produced, in execution order. Runs on one
  /// thread; the results have the same bits.
  public func run(
    inputs: [String: Tensor], observing observe: (ValueID, Tensor) -> Void
  ) throws(RuntimeError) -> [String: Tensor] {
    try fill(inputs)
    for (step, place) in zip(model.steps, places) {
      if let place { try team.runAlone(place) }
      for output in step.node.outputs { observe(output, tensor(output)) }
    }
    return try outputs()
  }

  /// The memory of an input: row-major, of the model's type. It keeps its values from run to run.
  public func inputBuffer(_ name: String) throws(RuntimeError) -> UnsafeMutableRawBufferPointer {
    guard let id = model.inputs[name] else {
      throw RuntimeError(.unknownName, "no input is named '\(name)', the inputs are \(list(model.inputs))")
    }
    return UnsafeMutableRawBufferPointer(mutating: bytes(id))
  }

  /// Runs the model on what is in the input buffers. Allocates nothing unless the plan has reference steps.
  public func execute() throws(RuntimeError) { try team.run() }

  /// Runs the model on what is in the input buffers, step by step on one thread.
  ///
  /// - Returns: what each step of `model.plan` took, in order.
  public func profile() throws(RuntimeError) -> [Duration] {
    let clock = ContinuousClock()
    var durations: [Duration] = []
    durations.reserveCapacity(places.count)
    for place in places {
      let start = clock.now
      if let place { try team.runAlone(place) }
      durations.append(clock.now - start)
    }
    return durations
  }

  /// Hands over the bytes of an output, row-major, of the model's type. They are valid until the next run.
  public func withOutput<R, E: Error>(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R? {
    guard let id = model.outputs[name] else { return nil }
    return try body(bytes(id))
  }

  /// A copy of an output of the last run.
  public func output(_ name: String) throws(RuntimeError) -> Tensor {
    guard let id = model.outputs[name] else {
      throw RuntimeError(.unknownName, "no output is named '\(name)', the outputs are \(list(model.outputs))")
    }
    return tensor(id)
  }

  private func outputs() throws(RuntimeError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, id) in model.outputs { result[name] = tensor(id) }
    return result
  }

  private func fill(_ inputs: [String: Tensor]) throws(RuntimeError) {
    for name in inputs.keys.sorted() where model.inputs[name] == nil {
      throw RuntimeError(.unknownName, "no input is named '\(name)', the inputs are \(list(model.inputs))")
    }
    for id in model.graph.inputs {
      let value = model.graph.value(id)
      guard let tensor = inputs[value.name] else {
        throw RuntimeError(.missingInput, "input '\(value.name)' was not given, expected \(value.type)")
      }
      guard tensor.type == value.type else {
        throw RuntimeError(
          .inputMismatch, "input '\(value.name)' is \(tensor.type), expected \(value.type)")
      }
      let target = UnsafeMutableRawBufferPointer(mutating: bytes(id))
      tensor.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  private func tensor(_ id: ValueID) -> Tensor { Tensor(model.graph.type(of: id), copying: bytes(id)) }

  private func bytes(_ id: ValueID) -> UnsafeRawBufferPointer {
    let count = model.graph.type(of: id).byteCount
    switch model.locations[id.index] {
    case .arena(let offset): return UnsafeRawBufferPointer(start: memory.arena + offset, count: count)
    case .constant(let tensor):
      let bytes = tensor.storage.bytes
      return UnsafeRawBufferPointer(rebasing: bytes[tensor.byteOffset..<tensor.byteOffset + count])
    case nil: preconditionFailure("value \(id.index) is not part of the plan")
    }
  }

  private func list(_ names: [String: ValueID]) -> String {
    names.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
  }
}
