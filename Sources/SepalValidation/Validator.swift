import SepalGraph
import SepalRuntime
import SepalTensor

/// Compares a converted graph, as the runtime executes it, with the reference evaluation in double precision of
/// the graph that it came from.
public struct Validator: Sendable {
  public struct Options: Sendable {
    public var samples = 4
    public var seed: UInt64 = 1
    public var tolerance = Tolerance()
    /// Compare every value that has an origin, not only the outputs.
    public var comparesLayers = false
    public var threads = 1

    public init() {}
  }

  private let original: Graph
  private let converted: Graph
  private let model: Model
  /// The same without segments, which hand over less than every value; where layers are compared.
  private let stepwise: Model?
  private let options: Options

  /// - Throws: `ComparisonError` when the two do not have the same inputs and outputs or cannot be run.
  public init(original: Graph, converted: Graph, options: Options = Options()) throws(ComparisonError) {
    try Self.checkSignatures(original, converted)
    self.original = original
    self.converted = converted
    self.options = options
    do {
      var plan = ModelOptions(threads: options.threads)
      model = try Model(converted, options: plan)
      plan.fusesSegments = false
      stepwise = options.comparesLayers ? try Model(converted, options: plan) : nil
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
  }

  /// Validates on seeded inputs. `progress` hears the number of samples that are done.
  public func run(progress: (Int) -> Void = { _ in }) throws(ComparisonError) -> ValidationReport {
    var generator = InputGenerator(seed: options.seed)
    var report = ValidationReport(seed: options.seed)
    for index in 0..<max(1, options.samples) {
      try compare(generator.inputs(for: original), into: &report)
      progress(index + 1)
    }
    return report
  }

  /// Validates on the inputs given, one tensor per graph input.
  public func run(inputs: [String: Tensor]) throws(ComparisonError) -> ValidationReport {
    var report = ValidationReport(seed: nil)
    try compare(inputs, into: &report)
    return report
  }

  private func compare(
    _ inputs: [String: Tensor], into report: inout ValidationReport
  ) throws(ComparisonError) {
    let wanted = options.comparesLayers ? Set(converted.values.flatMap { $0.origins.map(\.name) }) : []
    var sources: [String: Tensor] = [:]
    let expected: [String: Tensor]
    do {
      expected = try original.evaluate(inputs, precision: .double) { value, tensor throws(GraphError) in
        for origin in value.origins where wanted.contains(origin.name) { sources[origin.name] = tensor }
      }
    } catch {
      throw ComparisonError("the original cannot be evaluated: \(error)")
    }
    var layers: [LayerComparison] = []
    let actual: [String: Tensor]
    do {
      actual = try model.makeSession().run(inputs: inputs)
      _ = try stepwise?.makeSession().run(inputs: inputs) { id, tensor in
        if let layer = layer(id, tensor, sources) { layers.append(layer) }
      }
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
    var outputs: [OutputComparison] = []
    for output in original.outputs {
      guard let left = actual[output.name], let right = expected[output.name] else {
        throw ComparisonError("output '\(output.name)' was not computed")
      }
      outputs.append(
        OutputComparison(
          name: output.name,
          comparison: Comparison(left, reference: right, tolerance: options.tolerance)))
    }
    report.add(outputs: outputs, layers: layers)
  }

  /// Compares a value of the converted graph with the source tensor that it stands for, if it was kept.
  private func layer(_ id: ValueID, _ tensor: Tensor, _ sources: [String: Tensor]) -> LayerComparison? {
    let value = converted.value(id)
    guard let origin = value.origins.last(where: { sources[$0.name] != nil }),
      let source = sources[origin.name],
      source.count == tensor.count
    else { return nil }
    var aligned = tensor
    if !origin.permutation.isEmpty,
      let moved = try? Transpose(permutation: origin.permutation).evaluate(Inputs([tensor])).first
    {
      aligned = moved
    }
    return LayerComparison(
      name: value.name, origin: origin.name,
      comparison: Comparison(aligned, reference: source, tolerance: options.tolerance))
  }

  private static func checkSignatures(_ original: Graph, _ converted: Graph) throws(ComparisonError) {
    func inputs(_ graph: Graph) -> [String: TensorType] {
      Dictionary(uniqueKeysWithValues: graph.inputs.map { (graph.value($0).name, graph.type(of: $0)) })
    }
    let (left, right) = (inputs(original), inputs(converted))
    for name in Set(left.keys).union(right.keys).sorted() where left[name] != right[name] {
      throw ComparisonError(
        "input '\(name)' is \(describe(left[name])) in the original and \(describe(right[name])) in the converted model"
      )
    }
    func outputs(_ graph: Graph) -> [String: TensorType] {
      Dictionary(uniqueKeysWithValues: graph.outputs.map { ($0.name, graph.type(of: $0.value)) })
    }
    let (before, after) = (outputs(original), outputs(converted))
    for name in Set(before.keys).union(after.keys).sorted() where before[name] != after[name] {
      throw ComparisonError(
        "output '\(name)' is \(describe(before[name])) in the original and \(describe(after[name])) in the converted model"
      )
    }
  }

  private static func describe(_ type: TensorType?) -> String { type.map { "\($0)" } ?? "absent" }
}

/// Why two models could not be compared.
public struct ComparisonError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
