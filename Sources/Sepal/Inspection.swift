import SepalGraph
import SepalRuntime
import SepalTensor

/// The structure of a model with its costs. The keys of its JSON form are part of the command line's contract.
public struct Inspection: Sendable, Codable {
  public struct Port: Sendable, Codable {
    public var name: String
    public var dtype: String
    public var shape: [Int]
  }

  public struct Totals: Sendable, Codable {
    public var nodes: Int
    /// Trainable parameters and statistics, as the source stores them; shared ones count once.
    public var parameters: Int
    /// Multiply-adds of convolutions and matrix products at the shapes given, whole batch.
    public var macs: Int
    /// All constants.
    public var weightBytes: Int
    /// Of the plan for this machine.
    public var peakActivationBytes: Int
  }

  public struct Layer: Sendable, Codable {
    public var name: String
    public var op: String
    /// The fused activation; empty where there is none.
    public var activation: String
    public var inputs: [String]
    public var outputs: [String]
    public var outputShape: [Int]
    public var parameters: Int
    public var macs: Int
    /// Tensors of the source that the output stands for.
    public var origins: [String]
  }

  public var format: String
  public var inputs: [Port]
  public var outputs: [Port]
  public var totals: Totals
  public var layers: [Layer]

  /// How the runtime executes the model on this machine.
  public struct PlanSummary: Sendable, Codable {
    public struct Step: Sendable, Codable {
      /// The nodes that it computes; none where a value is copied into another form.
      public var nodes: [String]
      public var op: String
      public var kernel: String
      /// 0 where there is nothing to run.
      public var threads: Int
      public var macs: Int
      /// Bytes of its operands, results and weights, each counted once.
      public var movedBytes: Int
      /// Where the first result is in the arena, in bytes.
      public var offset: Int
    }

    public var instructionSet: String
    public var threads: Int
    public var arenaBytes: Int
    /// Memory that steps work in, of all threads.
    public var scratchBytes: Int
    /// Packed weights.
    public var weightBytes: Int
    public var steps: [Step]

    init(_ model: Model) {
      let plan = model.plan
      instructionSet = plan.instructionSet.rawValue
      threads = plan.threads
      arenaBytes = plan.arenaBytes
      scratchBytes = plan.scratchBytes
      weightBytes = model.weightBytes
      steps = plan.steps.map {
        Step(
          nodes: $0.nodes, op: $0.op, kernel: $0.kernel, threads: $0.threads, macs: $0.macs,
          movedBytes: $0.movedBytes, offset: $0.offset)
      }
    }
  }

  /// Nil unless asked for.
  public var plan: PlanSummary?

  /// - Parameter planThreads: with the plan for so many threads.
  /// - Throws: when the model cannot be planned.
  public init(_ file: ModelFile, planThreads: Int? = nil) throws(SepalError) {
    let graph = file.graph
    format = file.format.rawValue
    inputs = graph.inputs.map { Port(graph.value($0).name, graph.type(of: $0)) }
    outputs = graph.outputs.map { Port($0.name, graph.type(of: $0.value)) }
    var parameters = ParameterCounter(graph)
    layers = graph.nodes.map { node in
      Layer(
        name: node.name, op: node.op.name, activation: Self.activation(of: node.op),
        inputs: node.inputs.compactMap { $0.map { graph.value($0).name } },
        outputs: node.outputs.map { graph.value($0).name }, outputShape: graph.type(of: node.output).shape,
        parameters: parameters.count(of: node),
        macs: node.op.macs(graph.inputTypes(of: node), outputs: node.outputs.map { graph.type(of: $0) }),
        origins: node.outputs.flatMap { graph.value($0).origins.map(\.name) })
    }
    let model: Model
    do {
      model = try Model(graph, options: ModelOptions(threads: planThreads ?? 1))
    } catch {
      throw SepalError(error, path: file.path)
    }
    plan = planThreads == nil ? nil : PlanSummary(model)
    totals = Totals(
      nodes: graph.nodeCount, parameters: graph.provenance.unchangedParameterCount ?? parameters.total,
      macs: layers.reduce(0) { $0 + $1.macs },
      weightBytes: graph.values.reduce(0) { $0 + ($1.constant?.byteCount ?? 0) },
      peakActivationBytes: model.peakActivationBytes)
  }

  private static func activation(of op: any Operator) -> String {
    guard let activated = op as? any ActivatedOperator, activated.activation != .identity else { return "" }
    return activated.activation.description
  }
}

extension Inspection.Port {
  fileprivate init(_ name: String, _ type: TensorType) {
    self.init(name: name, dtype: type.element.name, shape: type.shape)
  }
}

/// Counts the parameters of layers: operands in parameter positions that depend on no graph input.
private struct ParameterCounter {
  private let graph: Graph
  /// Values that depend on a graph input.
  private var isDynamic: Set<ValueID>
  private var counted: Set<ValueID> = []
  private(set) var total = 0

  init(_ graph: Graph) {
    self.graph = graph
    isDynamic = Set(graph.inputs)
    for node in graph.nodes where node.inputs.contains(where: { $0.map(isDynamic.contains) ?? false }) {
      isDynamic.formUnion(node.outputs)
    }
  }

  /// The parameters of `node`; the total counts those that several nodes share once.
  mutating func count(of node: Node) -> Int {
    let schema = type(of: node.op).schema
    var sum = 0
    for (index, input) in node.inputs.enumerated() {
      guard let input, !isDynamic.contains(input) else { continue }
      guard schema.input(at: index)?.isParameter == true || isBias(input, of: node) else { continue }
      let count = graph.type(of: input).count
      sum += count
      if counted.insert(input).inserted { total += count }
    }
    return sum
  }

  /// A constant that is added to the result of a layer is that layer's bias in another spelling.
  private func isBias(_ input: ValueID, of node: Node) -> Bool {
    guard node.op is Add, graph.type(of: input).count > 1,
      let other = node.inputs.compactMap({ $0 }).first(where: { $0 != input }),
      let layer = graph.producer(of: other)
    else { return false }
    return layer.op is MatMul || layer.op is Gemm || layer.op is Conv || layer.op is ConvTranspose
  }
}
