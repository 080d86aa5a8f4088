import CSepalKernels
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
  /// For each step of the plan its phases in the team; none where there is nothing to run.
  private let places: [Range<Int>]

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
    var phases: [Team.Phase] = []
    var places: [Range<Int>] = []
    for step in model.steps {
      let first = phases.count
      if step.threads > 0 {
        let operands = Operands(
          inputs: step.inputs.map { $0.map(address) }, outputs: step.outputs.map(address), session: memory,
          functions: model.functions)
        phases += step.kernel.bindPhases(operands).map { Team.Phase($0, threads: step.threads) }
      }
      places.append(first..<phases.count)
    }
    self.places = places
    team = Team(
      phases, threads: model.plan.threads, scratchBytes: model.plan.scratchBytes / model.plan.threads,
      memory: memory)
  }

  /// Runs the model on one tensor per input, by name, and returns its outputs by name.
  ///
  /// - Throws: `missingInput`, `unknownName`, `inputMismatch`, `operatorFailed`.
  public func run(inputs: [String: Tensor]) throws(RuntimeError) -> [String: Tensor] {
    try fill(inputs)
    try execute()
    return try outputs()
  }

  /// As `run(inputs:)`, handing over what each step of the plan computes, in execution order: every node's outputs
  /// where the model was planned without segments. Runs on one thread; the results have the same bits.
  public func run(
    inputs: [String: Tensor], observing observe: (ValueID, Tensor) -> Void
  ) throws(RuntimeError) -> [String: Tensor] {
    try run(inputs: inputs) { _, results in
      for (value, tensor) in results { observe(value, tensor) }
    }
  }

  /// The same by steps: the position in `model.plan.steps`, and what the step computed.
  package func run(
    inputs: [String: Tensor], observingSteps observe: (Int, [(value: ValueID, tensor: Tensor)]) -> Void
  ) throws(RuntimeError) -> [String: Tensor] {
    try fill(inputs)
    for (index, (step, place)) in zip(model.steps, places).enumerated() {
      for phase in place { try team.runAlone(phase) }
      guard !step.nodes.isEmpty else { continue }
      observe(index, zip(step.outputs, step.results).map { ($1.value, tensor($1, at: $0)) })
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
      for phase in place { try team.runAlone(phase) }
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

  private func tensor(_ value: PlanValue, at location: Location) -> Tensor {
    guard case .arena(let offset) = location, value.form != .plain, let shape = ImageShape(value.type) else {
      return Tensor(value.type, copying: bytes(location, value.type.byteCount))
    }
    let vector = model.functions.vectorWidth
    let source = (memory.arena + offset).assumingMemoryBound(to: Float.self)
    let image = shape.floats(in: .plain, vector: vector)
    var floats = [Float](repeating: 0, count: shape.batch * image)
    floats.withUnsafeMutableBufferPointer { floats in
      guard let target = floats.baseAddress else { return }
      for index in 0..<shape.batch {
        sepal_reorder(
          target + index * image, shape.layout(of: .plain, vector: vector),
          source + index * shape.floats(in: value.form, vector: vector),
          shape.layout(of: value.form, vector: vector),
          shape.pixels, shape.channels, vector)
      }
    }
    return floats.withUnsafeBytes { Tensor(value.type, copying: $0) }
  }

  private func bytes(_ id: ValueID) -> UnsafeRawBufferPointer {
    guard let location = model.locations[id.index] else {
      preconditionFailure("value \(id.index) is not part of the plan")
    }
    return bytes(location, model.graph.type(of: id).byteCount)
  }

  private func bytes(_ location: Location, _ count: Int) -> UnsafeRawBufferPointer {
    switch location {
    case .arena(let offset): return UnsafeRawBufferPointer(start: memory.arena + offset, count: count)
    case .constant(let tensor):
      let bytes = tensor.storage.bytes
      return UnsafeRawBufferPointer(rebasing: bytes[tensor.byteOffset..<tensor.byteOffset + count])
    }
  }

  private func list(_ names: [String: ValueID]) -> String {
    names.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
  }
}
