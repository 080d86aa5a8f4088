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
    let count = max(1, count)
    let samples = SampleQueue(count: count, source: sample)
    struct State {
      var results: [SampleResult]
      var failures: [Int: ComparisonError] = [:]
      var halves: [Int]
      var done = 0
    }
    let state = Locked(
      State(
        results: [SampleResult](repeating: SampleResult(), count: count),
        halves: [Int](repeating: 2, count: count)))
    // The two halves of a sample take about as long: an odd number of samples keeps an even number of threads busy.
    ThreadPool(count: min(max(1, options.workers), 2 * count)).forEach(0..<2 * count) { task in
      let index = task / 2
      let half = Result { () throws(ComparisonError) in
        let inputs = try samples.take(index)
        return task.isMultiple(of: 2) ? try compareValues(inputs) : try compareSteps(inputs)
      }
      state.withLock { state in
        switch half {
        case .success(let half): state.results[index].add(half)
        case .failure(let error): state.failures[task] = error
        }
        state.halves[index] -= 1
        guard state.halves[index] == 0 else { return }
        state.done += 1
        progress(state.done)
      }
    }
    let (results, failures) = state.withLock { ($0.results, $0.failures) }
    if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
    var report = ValidationReport(
      seed: seed, criterion: options.criterion, weightPrecision: weightPrecision,
      approximations: approximations, notes: notes)
    for (index, result) in results.enumerated() {
      report.add(result, named: samples.name(index))
    }
    report.fusedAway = map.fusedAway
    return report
  }

  private func given(_ inputs: [String: Tensor]) -> [String: Tensor] {
    var given: [String: Tensor] = [:]
    for port in ports.inputs { given[port.converted] = inputs[port.original].map(port.toConverted) }
    return given
  }

  /// Every step of the plan, each on the operands that the runtime computed.
  private func compareSteps(_ inputs: [String: Tensor]) throws(ComparisonError) -> SampleResult {
    SampleResult(
      steps: try StepChecker(model).run(inputs: given(inputs), session: model.makeSession()).steps)
  }

  /// Layers and outputs against the reference of the original.
  private func compareValues(_ inputs: [String: Tensor]) throws(ComparisonError) -> SampleResult {
    var reference = try predictor.start(inputs)
    let given = given(inputs)
    let actual: [String: Tensor]
    do {
      actual = try model.makeSession().run(inputs: given)
    } catch {
      throw ComparisonError("the converted model cannot be run: \(error)")
    }
    let walk = LayerWalk(map, criterion: options.criterion)
    var result = SampleResult()
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

/// The samples of a run: each is made once, for two takers.
private final class SampleQueue: Sendable {
  private struct Slot {
    var name = ""
    var inputs: Result<[String: Tensor], ComparisonError>?
    var takers = 0
  }

  private let slots: [Locked<Slot>]
  private let source: @Sendable (Int) throws(ComparisonError) -> ValidationSample

  init(count: Int, source: @escaping @Sendable (Int) throws(ComparisonError) -> ValidationSample) {
    slots = (0..<count).map { _ in Locked(Slot()) }
    self.source = source
  }

  func name(_ index: Int) -> String { slots[index].withLock { $0.name } }

  func take(_ index: Int) throws(ComparisonError) -> [String: Tensor] {
    let source = source
    let inputs = slots[index].withLock { slot in
      let inputs: Result<[String: Tensor], ComparisonError>
      if let made = slot.inputs {
        inputs = made
      } else {
        let made = Result { () throws(ComparisonError) in try source(index) }
        slot.name = (try? made.get())?.name ?? ""
        inputs = made.map(\.inputs)
      }
      slot.takers += 1
      slot.inputs = slot.takers == 2 ? nil : inputs
      return inputs
    }
    return try inputs.get()
  }
}

/// Why two models could not be compared.
public struct ComparisonError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
