import SepalGraph
import SepalRuntime
import SepalTensor
import SepalValidation
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

/// The largest distance of two tensors, and the largest magnitude of the first; nil when their shapes differ.
func distance(_ expected: Tensor, _ actual: Tensor?) -> (worst: Double, scale: Double)? {
  guard let actual, actual.shape == expected.shape else { return nil }
  var (worst, scale) = (0.0, 1.0)
  for (want, have) in zip(expected.doubles(), actual.doubles()) {
    scale = max(scale, abs(want))
    // Not `max`, which would lose a NaN.
    if !(abs(want - have) <= worst) { worst = abs(want - have) }
  }
  return (worst, scale)
}

/// Runs the graph on every instruction set of this machine and compares with the reference in double precision. Runs it
/// in segments too, which must give the same bits. `kernel` must appear in the plan, so that a test of a fast path cannot
/// pass by way of the reference.
func expectSessionMatchesReference(
  _ maker: inout GraphMaker, kernel: String?, tolerance: Double = 2e-6, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let graph = maker.graph
  let feeds = maker.feeds()
  let expected = try graph.evaluate(feeds, precision: .double)
  for isa in InstructionSet.allCases where isa.isAvailable {
    var options = ModelOptions(instructionSet: isa)
    options.fusesSegments = false
    let model = try Model(graph, options: options)
    if let kernel {
      #expect(
        model.plan.steps.contains { $0.kernel.hasPrefix(kernel) }
          && !model.plan.steps.contains(where: \.isReference),
        "\(comment): no '\(kernel)' in\n\(model.plan)", sourceLocation: sourceLocation)
    }
    let session = model.makeSession()
    let results = try (1...2).map { _ in try session.run(inputs: feeds) }
    for (name, tensor) in expected {
      let (worst, scale) = distance(tensor, results[0][name]) ?? (.infinity, 0)
      #expect(
        worst <= tolerance * scale, "\(comment) \(isa): '\(name)' differs by \(worst)",
        sourceLocation: sourceLocation)
    }
    expectStepsWithinBounds(model, feeds, "\(comment) \(isa)", sourceLocation: sourceLocation)
    options.fusesSegments = true
    let segmented = try Model(graph, options: options)
    expectStepsWithinBounds(segmented, feeds, "\(comment) \(isa)", sourceLocation: sourceLocation)
    let fused = try segmented.makeSession().run(inputs: feeds)
    for (name, tensor) in results[0] {
      #expect(
        results[1][name]?.isIdentical(to: tensor) == true, "\(comment) \(isa): '\(name)' in a second run",
        sourceLocation: sourceLocation)
      #expect(
        fused[name]?.isIdentical(to: tensor) == true, "\(comment) \(isa): '\(name)' in segments",
        sourceLocation: sourceLocation)
    }
  }
}

/// Every step is within the bound on the rounding errors of its operators, by the reference on what the step was given.
func expectStepsWithinBounds(
  _ model: Model, _ feeds: [String: Tensor], _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(throws: Never.self, sourceLocation: sourceLocation) {
    let (_, steps) = try StepChecker(model).run(inputs: feeds, session: model.makeSession())
    for step in steps {
      #expect(step.isWithinBound, "\(comment): \(step)", sourceLocation: sourceLocation)
    }
  }
}
