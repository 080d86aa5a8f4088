import SepalGraph
import SepalTensor

/// How a model is planned.
public struct ModelOptions: Sendable {
  /// Threads that one session uses, the caller's included, 1 to 256. Results are the same bits for every number.
  public var threads: Int
  /// Nil: what the environment variable `SEPAL_ISA` names, otherwise the best that the machine has.
  public var instructionSet: InstructionSet?
  /// Whether chains of steps run strip by strip, so that what they hand to each other stays in cache. Results are the
  /// same bits either way.
  public var fusesSegments = true
  /// Whether 3×3 convolutions may run by Winograd's algorithm where that is faster, up to three times. It takes two to
  /// four times the memory for their weights, and it rounds a little differently: an error of up to three times that of a
  /// sum over taps, 4·10⁻⁶ of the largest result at most on random data. An input that is infinite or NaN makes NaN of
  /// the tiles of up to 4×4 results that it takes part in.
  public var allowsWinograd = true
  /// How wide the tiles are, 2 or 4, of every convolution that can run by Winograd's algorithm, instead of what is
  /// estimated to be the fastest.
  package var winogradTile: Int?
  /// How chains run that can run so, instead of the way that is estimated to be the fastest.
  package var segmentWay: SegmentCost.Way?
  /// The most memory that a session's activations may take: a file can declare shapes of any size.
  public var maximumActivationBytes = 8 << 30

  public init(threads: Int = 1, instructionSet: InstructionSet? = nil) {
    self.threads = threads
    self.instructionSet = instructionSet
  }

  /// The instruction set that was asked for, otherwise what the environment names, otherwise the best.
  func chosenInstructionSet() throws(RuntimeError) -> InstructionSet {
    if let instructionSet { return instructionSet }
    return try InstructionSet.fromEnvironment() ?? .best
  }
}

/// A graph made ready for this machine: kernels chosen, memory laid out. Weights are packed by the first run.
///
/// Immutable, so any number of sessions on any threads may share it. Every operator runs: those without a fast kernel on
/// their reference. Fast kernels take channels-last float32.
public final class Model: Sendable {
  public let graph: Graph
  public let plan: Plan
  let steps: [PlannedStep]
  let locations: [Location?]
  let weights: WeightStore
  let functions: KernelFunctions
  let inputs: [String: ValueID]
  let outputs: [String: ValueID]

  /// - Throws: `unavailableInstructionSet` when the one asked for cannot run here; `invalidGraph` when the graph does
  ///   not verify; `tooLarge` when its activations do not fit.
  public convenience init(_ graph: Graph, options: ModelOptions = ModelOptions()) throws(RuntimeError) {
    try self.init(Preparation(graph, options), graph)
  }

  /// As `init(_:options:)`, for a graph that is not needed afterwards: the elements of each constant are freed when they
  /// have been packed by the first run, so that the model takes the memory of its weights once. Of the model's `graph` they are discarded.
  ///
  /// Hand over the last copy (`consume`), or nothing is freed.
  public convenience init(
    consuming graph: consuming Graph, options: ModelOptions = ModelOptions()
  ) throws(RuntimeError) {
    var owned = graph
    let preparation = try Preparation(owned, options)
    owned.discardElements(of: preparation.unreadConstants)
    self.init(preparation, owned)
  }

  /// Everything but the packing, which lets go of constants that nobody else holds.
  private struct Preparation {
    let functions: KernelFunctions
    let plan: Plan
    let steps: [PlannedStep]
    let locations: [Location?]
    let unreadConstants: Set<ValueID>
    let weights: WeightStore.Builder

    init(_ graph: Graph, _ options: ModelOptions) throws(RuntimeError) {
      let instructionSet = try options.chosenInstructionSet()
      let planner = try Planner(planning: graph, options, instructionSet)
      functions = planner.functions
      plan = Plan(planner, instructionSet)
      steps = planner.steps
      locations = planner.locations
      unreadConstants = planner.unreadConstants
      weights = planner.weights
    }
  }

  private init(_ preparation: Preparation, _ graph: Graph) {
    self.graph = graph
    functions = preparation.functions
    plan = preparation.plan
    steps = preparation.steps
    locations = preparation.locations
    weights = preparation.weights.build()
    inputs = Dictionary(uniqueKeysWithValues: graph.inputs.map { (graph.value($0).name, $0) })
    outputs = Dictionary(uniqueKeysWithValues: graph.outputs.map { ($0.name, $0.value) })
  }

  /// Bytes of one session's activations: inputs, outputs, and what its threads work in included.
  public var peakActivationBytes: Int { plan.arenaBytes + plan.scratchBytes }

  /// Bytes of packed weights. Constants that kernels read in place are not counted.
  public var weightBytes: Int { weights.byteCount }

  /// A new session, with its own memory and threads.
  public func makeSession() -> Session { Session(self) }
}
