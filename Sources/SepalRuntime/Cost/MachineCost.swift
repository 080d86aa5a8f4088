import SepalGraph
import SepalTensor

/// Predicts how long a graph takes on one core of this machine, from its plan and the machine's rates.
///
/// The same rates give the same prediction, bit for bit, whatever else the machine does and however many threads there
/// are. Rates are measured once and kept in a file: see `CalibrationCache`.
public struct MachineCost: Sendable {
  private let rates: MachineRates
  private let instructionSet: InstructionSet

  /// One step of a plan.
  public struct Step: Sendable {
    /// The nodes that it computes; none where the plan copies a value into another form.
    public let nodes: [String]
    public let kernel: String
    public let milliseconds: Double
  }

  /// Where a graph's inputs come from and its outputs go.
  public enum Borders: Sendable {
    /// They are a caller's, row-major.
    case model
    /// Other layers make and read them: images are in the form that convolutions prefer, which costs nothing, and
    /// another form costs a copy. So is a part of a network judged by itself.
    case network
  }

  package init(_ rates: MachineRates, _ instructionSet: InstructionSet) {
    self.rates = rates
    self.instructionSet = instructionSet
  }

  /// With the rates of this machine: from `cache` where they are there, otherwise measured now, in about a second, and
  /// left there.
  ///
  /// - Parameters:
  ///   - instructionSet: nil: the one that a model would run on.
  ///   - cache: nil: rates are measured, and not kept.
  /// - Throws: `unavailableInstructionSet`; `operatorFailed` where nothing can be timed.
  public init(
    instructionSet: InstructionSet? = nil, cache: CalibrationCache? = .standard
  ) throws(RuntimeError) {
    let chosen = try ModelOptions(instructionSet: instructionSet).chosenInstructionSet()
    let key = CalibrationCache.Key(processor: Processor.name(), instructionSet: chosen.rawValue)
    if let known = cache?.read(key) {
      self.init(known, chosen)
    } else {
      let rates = try Calibration(chosen).rates()
      cache?.write(rates, key)
      self.init(rates, chosen)
    }
  }

  /// - Throws: as `Model.init`.
  public func milliseconds(of graph: Graph, borders: Borders = .model) throws(RuntimeError) -> Double {
    let planner = try plan(graph)
    var sum = planner.steps.reduce(0) { $0 + nanoseconds($1) }
    if borders == .network { sum += borderCorrection(planner) }
    return sum / 1e6
  }

  /// Each step of the plan, in order.
  ///
  /// - Throws: as `Model.init`.
  public func steps(of graph: Graph) throws(RuntimeError) -> [Step] { try plan(graph).steps.map(step) }

  /// Each step of the model's plan on one thread, in order.
  public func steps(of model: Model) -> [Step] { model.steps.map(step) }

  private func plan(_ graph: Graph) throws(RuntimeError) -> Planner {
    try Planner(planning: graph, ModelOptions(threads: 1), instructionSet)
  }

  private func step(_ step: PlannedStep) -> Step {
    Step(
      nodes: step.nodes.map(\.name), kernel: step.kernel.summary, milliseconds: nanoseconds(step) / 1e6)
  }

  private func nanoseconds(_ step: PlannedStep) -> Double {
    step.loads.reduce(0) { $0 + rates.nanoseconds($1) }
  }

  /// What the copies at the borders cost too much, and what is missing where blocked images would have to be copied.
  private func borderCorrection(_ planner: Planner) -> Double {
    var copied: [ValueID: Double] = [:]
    for step in planner.steps where step.nodes.isEmpty {
      if let result = step.results.first { copied[result.value, default: 0] += nanoseconds(step) }
    }
    var correction = 0.0
    for id in Set(planner.graph.inputs + planner.graph.outputs.map(\.value)).sorted() {
      if let copy = copied[id] {
        correction -= copy
      } else if let image = ImageShape(planner.graph.type(of: id)), image.pixels > 1,
        image.channels >= planner.functions.vectorWidth
      {
        correction += rates.nanoseconds(ReorderKernel.load(image))
      }
    }
    return correction
  }
}
