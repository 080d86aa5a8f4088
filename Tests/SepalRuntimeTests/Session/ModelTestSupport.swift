import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// A graph with one line per addition, and random tensors.
struct GraphMaker {
  var graph = Graph(name: "test")
  var random: SplitMix
  private var count = 0

  init(seed: Int = 1) { random = SplitMix(seed) }

  mutating func tensor(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor(shape, floats: random.floats(shape.reduce(1, *), in: range))
  }

  mutating func input(_ shape: [Int], name: String = "x") -> ValueID {
    graph.addInput(name, TensorType(.float32, shape))
  }

  mutating func constant(_ shape: [Int], in range: ClosedRange<Float> = -1...1) -> ValueID {
    count += 1
    return graph.addConstant("c\(count)", tensor(shape, in: range))
  }

  /// A convolution's weight, `[M, C/groups, kernel…]`, that keeps the size of what it is applied to.
  mutating func weight(_ shape: [Int]) -> ValueID {
    let bound = 1.5 / Float(shape.dropFirst().reduce(1, *)).squareRoot()
    return constant(shape, in: -bound...bound)
  }

  mutating func add(_ op: any Operator, _ inputs: [ValueID?]) throws -> ValueID {
    try addAll(op, inputs)[0]
  }

  mutating func addAll(_ op: any Operator, _ inputs: [ValueID?]) throws -> [ValueID] {
    count += 1
    return try graph.add(op, name: "n\(count)", inputs: inputs)
  }

  mutating func output(_ value: ValueID, name: String = "y") { graph.addOutput(name, value) }

  /// A random tensor for every input.
  mutating func feeds() -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: graph.inputs.map { id in
        (graph.value(id).name, tensor(graph.type(of: id).shape, in: -2...2))
      })
  }
}

/// Runs the graph on every instruction set of this machine and compares with the reference in double precision.
/// `kernel` must appear in the plan, so that a test of a fast path cannot pass by way of the reference.
func expectSessionMatchesReference(
  _ maker: inout GraphMaker, kernel: String?, tolerance: Double = 2e-6, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let graph = maker.graph
  let feeds = maker.feeds()
  let expected = try graph.evaluate(feeds, precision: .double)
  for isa in InstructionSet.allCases where isa.isAvailable {
    let model = try Model(graph, options: ModelOptions(instructionSet: isa))
    if let kernel {
      #expect(
        model.plan.steps.contains { $0.kernel.hasPrefix(kernel) }
          && !model.plan.steps.contains(where: \.isReference),
        "\(comment): no '\(kernel)' in\n\(model.plan)", sourceLocation: sourceLocation)
    }
    let session = model.makeSession()
    for round in 1...2 {
      let actual = try session.run(inputs: feeds)
      for (name, tensor) in expected {
        let (want, have) = (tensor.doubles(), actual[name]?.doubles() ?? [])
        #expect(actual[name]?.shape == tensor.shape, sourceLocation: sourceLocation)
        let scale = want.reduce(1) { max($0, abs($1)) }
        let worst = zip(want, have).reduce(0.0) { max($0, abs($1.0 - $1.1)) }
        #expect(
          have.count == want.count && worst <= tolerance * scale,
          "\(comment) \(isa) round \(round): '\(name)' differs by \(worst)", sourceLocation: sourceLocation)
      }
    }
  }
}
