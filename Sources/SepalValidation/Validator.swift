import SepalGraph
import SepalRuntime
import SepalTensor

/// Compares a model, as the runtime executes it, with the reference evaluation in double precision of the graph that it
/// came from, or of any other graph of the same function.
///
/// There are two verdicts. Every step of the runtime's plan is compared with the reference on the operands that the runtime
/// itself computed, against a bound on rounding errors that holds for any order of operations: beyond it, a kernel or the
/// plan is wrong. And every output, and every value inside that stands for a tensor of the original, is compared with that,
/// against the standard deviation that rounding errors gather on the way: far beyond it, the models are different
/// functions.
public struct Validator: Sendable {
  public struct Options: Sendable {
    /// Of each kind of input in turn: see `InputKind`.
    public var samples = InputKind.allCases.count
    public var seed: UInt64 = 1
    public var criterion = Criterion.deviations(10)
    /// Threads of the converted model.
    public var threads = 1
    /// Samples that run at the same time.
    public var workers = 1

    public init() {}
  }

  private let ports: PortMatching
  private let original: Graph
  private let model: Model
  /// Planned without segments, which hand over less than every value; the bits are the same.
  private let stepwise: Model
  private let predictor: Predictor
  private let map: LayerMap
  private let weightPrecision: WeightPrecision
  private let approximations: Approximations
  private let options: Options

  /// What was assumed to bring the two models together.
  public var notes: [String] { ports.notes }

  /// - Throws: `ComparisonError` when the two do not have matching inputs and outputs or cannot be run.
  public init(original: Graph, converted: Graph, options: Options = Options()) throws(ComparisonError) {
    ports = try PortMatching(original, converted)
    self.original = original
    self.options = options
    weightPrecision = WeightPrecision(of: converted, from: original)
    approximations = Approximations(of: converted, from: original)
    predictor = Predictor(original, precision: weightPrecision, approximations: approximations)
    map = LayerMap(original: original, converted: converted)
    do {
      model = try Model(converted, options: ModelOptions(threads: options.threads))
      var plan = ModelOptions()
      plan.fusesSegments = false
      stepwise = try Model(converted, options: plan)
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
  }

  /// Validates on seeded inputs. `progress` hears the number of samples that are done.
  public func run(
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(ComparisonError) -> ValidationReport {
    let (original, seed) = (original, options.seed)
    return try run(samples: options.samples, seed: seed, progress: progress) { index in
      InputGenerator.sample(index, seed: seed, for: original)
    }
  }

  /// Validates on the inputs given, one tensor per input of the original.
  public func run(inputs: [String: Tensor]) throws(ComparisonError) -> ValidationReport {
    try run(samples: 1) { _ in ValidationSample(name: "given", inputs: inputs) }
  }

  /// Validates on so many samples, each with one tensor per input of the original. They are asked for when it is their
  /// turn, by several threads where the options say so.
  public func run(
    samples count: Int, seed: UInt64? = nil, progress: @escaping @Sendable (Int) -> Void = { _ in },
    sample: @escaping @Sendable (Int) throws(ComparisonError) -> ValidationSample
  ) throws(ComparisonError) -> ValidationReport {
    struct State {
      var done = 0
      var results: [Result<(name: String, result: SampleResult), ComparisonError>?]
    }
    let count = max(1, count)
    let state = Locked(
      State(
        results: [Result<(name: String, result: SampleResult), ComparisonError>?](
          repeating: nil, count: count)))
    ThreadPool(count: min(max(1, options.workers), count)).forEach(0..<count) { index in
      let result = Result { () throws(ComparisonError) in
        let sample = try sample(index)
        return (name: sample.name, result: try compare(sample.inputs))
      }
      state.withLock { state in
        state.results[index] = result
        state.done += 1
        progress(state.done)
      }
    }
    var report = ValidationReport(
      seed: seed, criterion: options.criterion, weightPrecision: weightPrecision,
      approximations: approximations, notes: notes)
    for result in state.withLock({ $0.results }) {
      guard let (name, sample) = try result?.get() else { continue }
      report.add(sample, named: name)
    }
    report.fusedAway = map.fusedAway
    return report
  }

  private func compare(_ inputs: [String: Tensor]) throws(ComparisonError) -> SampleResult {
    var result = SampleResult()
    var reference = try predictor.start(inputs)
    var given: [String: Tensor] = [:]
    for port in ports.inputs { given[port.converted] = inputs[port.original].map(port.toConverted) }
    let session = model.makeSession()
    var (actual, steps) = try StepChecker(model).run(inputs: given, session: session)
    result.steps = steps
    if options.threads > 1 {
      do {
        actual = try session.run(inputs: given)
      } catch {
        throw ComparisonError("the converted model cannot be run: \(error)")
      }
    }
    let walk = LayerWalk(map, criterion: options.criterion)
    result.layers = try walk.compare(stepwise.makeSession(), given, with: &reference)
    try reference.finish()
    let predictions = Dictionary(try reference.outputs().map { ($0.name, $0) }) { first, _ in first }
    for port in ports.outputs {
      guard let tensor = actual[port.converted], let expected = predictions[port.original] else {
        throw ComparisonError("output '\(port.original)' was not computed")
      }
      result.outputs.append(
        OutputComparison(
          name: port.original,
          comparison: Comparison(
            port.toOriginal(tensor), reference: expected.reference, sigma: expected.sigma,
            by: options.criterion)))
    }
    return result
  }
}

/// Why two models could not be compared.
public struct ComparisonError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
