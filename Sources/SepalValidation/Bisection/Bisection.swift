import SepalGraph
import SepalPasses
import SepalTensor

/// Finds the rewrite that makes a converted model compute something else than its source, by replaying the conversion up to
/// one rewrite after another and validating what it has led to.
///
/// The search halves the log: the rewrite that it finds turns a graph that is equivalent into one that is not. It is the first
/// such rewrite unless an earlier mistake was hidden again by a later rewrite; `RewriteChecker`, which looks at every
/// rewrite by itself, is run over the log as well and names that one.
public struct Bisection: Sendable {
  public enum Finding: Sendable {
    /// What this rewrite made of an equivalent graph is not equivalent.
    case rewrite(Culprit)
    /// The source itself, without any rewrite, does not run as its reference does: kernels are wrong, not rewrites.
    case runtime
    /// Replayed, the conversion is right: the file holds something else.
    case file
  }

  public struct Culprit: Sendable {
    /// Position in the log, from 0.
    public var index: Int
    public var record: RewriteRecord
    /// In double precision the rewrite changes nothing: the kernels for what it made are at fault.
    public var isInKernels: Bool
    /// A small model that shows the same; nil where none was found.
    public var repro: Repro?
  }

  /// What was found, and what the checker of single rewrites says about the log up to its end.
  public struct Result: Sendable {
    public var finding: Finding
    /// Rewrites of the log.
    public var rewrites: Int
    /// Graphs that were validated.
    public var trials: Int
    public var faults: [RewriteChecker.Fault]
  }

  private let original: Graph
  private let options: Validator.Options
  private let makeOptimizer: @Sendable (_ stopAfter: Int?) throws(OptimizationError) -> Optimizer

  /// - Parameter optimization: what the conversion was asked to do, but for `stopAfter`.
  public init(original: Graph, options: Validator.Options, optimization: Optimizer.Options) {
    self.init(original: original, options: options) { (stopAfter) throws(OptimizationError) in
      var optimization = optimization
      optimization.stopAfter = stopAfter
      return try Optimizer(optimization)
    }
  }

  /// With passes of its own.
  package init(
    original: Graph, options: Validator.Options,
    optimizer: @escaping @Sendable (_ stopAfter: Int?) throws(OptimizationError) -> Optimizer
  ) {
    self.original = original
    self.options = options
    makeOptimizer = optimizer
  }

  /// - Parameters:
  ///   - converted: the model that is not equivalent, with its rewrite log.
  ///   - inputs: on which it is not; nil: those that the options name.
  /// - Throws: when the model is equivalent after all, or its log cannot be replayed.
  public func run(_ converted: Graph, inputs: [String: Tensor]? = nil) throws(ComparisonError) -> Result {
    let inputs = try failing(converted, inputs)
    let log = Array(converted.provenance.rewrites.dropFirst(original.provenance.rewrites.count))
    var checker = RewriteChecker()
    var recorder = WitnessRecorder()
    let replayed = try optimized(stopAfter: log.count) {
      checker.check($0, pass: $1, in: $2)
      recorder.record($0, pass: $1, in: $2)
    }
    try compare(
      log, Array(replayed.provenance.rewrites.dropFirst(original.provenance.rewrites.count)),
      recorder.witnesses)
    var result = Result(finding: .file, rewrites: log.count, trials: 1, faults: checker.faults)
    guard try !isEquivalent(replayed, inputs) else { return result }
    result.trials += 1
    guard !log.isEmpty, try isEquivalent(try optimized(stopAfter: 0), inputs) else {
      result.finding = .runtime
      return result
    }
    // After `right` rewrites the graph is equivalent, after `wrong` it is not.
    var (right, wrong) = (0, log.count)
    while wrong - right > 1 {
      let middle = (right + wrong) / 2
      result.trials += 1
      if try isEquivalent(try optimized(stopAfter: middle), inputs) { right = middle } else { wrong = middle }
    }
    result.finding = .rewrite(try culprit(right, log[right], inputs))
    return result
  }

  /// The first inputs on which the model is not equivalent.
  private func failing(
    _ converted: Graph, _ inputs: [String: Tensor]?
  ) throws(ComparisonError) -> [String: Tensor] {
    let validator = try Validator(original: original, converted: converted, options: options)
    if let inputs {
      guard try !validator.run(inputs: inputs).isEquivalent else {
        throw ComparisonError("the models are equivalent on this input: there is nothing to search for")
      }
      return inputs
    }
    for index in 0..<max(1, options.samples) {
      let inputs = InputGenerator.sample(index, seed: options.seed, for: original).inputs
      if try !validator.run(inputs: inputs).isEquivalent { return inputs }
    }
    throw ComparisonError("the models are equivalent on these inputs: there is nothing to search for")
  }

  private func compare(
    _ log: [RewriteRecord], _ replayed: [RewriteRecord], _ witnesses: [RewriteWitness]
  ) throws(ComparisonError) {
    func describe(_ record: RewriteRecord?) -> String {
      record.map { "\($0.pass) of \($0.before.joined(separator: ", "))" } ?? "none"
    }
    for (index, record) in log.enumerated() {
      let other = index < replayed.count ? replayed[index] : nil
      guard record.pass == other?.pass, record.before == other?.before, record.after == other?.after else {
        throw ComparisonError(
          "the conversion cannot be replayed: rewrite \(index + 1) is \(describe(record)) in the file and \(describe(other)) here"
        )
      }
      if let witness = record.witness, witness != witnesses[index] {
        throw ComparisonError(
          "the conversion cannot be replayed: rewrite \(index + 1), \(describe(record)), made something else when the file was written than here"
        )
      }
    }
  }

  private func culprit(
    _ index: Int, _ record: RewriteRecord, _ inputs: [String: Tensor]
  ) throws(ComparisonError) -> Culprit {
    var seen = 0
    var captured: (rewrite: Rewrite, graph: Graph)?
    let after = try optimized(stopAfter: index + 1) { rewrite, _, graph in
      if seen == index { captured = (rewrite, graph) }
      seen += 1
    }
    guard let (rewrite, before) = captured else {
      throw ComparisonError("rewrite \(index + 1) did not happen again")
    }
    let isInKernels = try computesTheSame(before, after, inputs)
    let repro = try ReproSearch(rewrite, in: before, inputs: inputs).first {
      (part, inputs) throws(ComparisonError) in
      var converted = part
      do {
        try makeOptimizer(nil).run(&converted)
      } catch {
        return nil
      }
      return try Repro(original: part, converted: converted, inputs: inputs, options: options)
    }
    return Culprit(index: index, record: record, isInKernels: isInKernels, repro: repro)
  }

  /// Whether the references of both agree, far better than float32 does.
  private func computesTheSame(
    _ before: Graph, _ after: Graph, _ inputs: [String: Tensor]
  ) throws(ComparisonError) -> Bool {
    do {
      let expected = try before.evaluate(inputs, precision: .double)
      let actual = try after.evaluate(inputs, precision: .double)
      return expected.allSatisfy { name, tensor in
        guard let other = actual[name]?.doubles() else { return false }
        let values = tensor.doubles()
        let largest = values.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
        return zip(values, other).allSatisfy { a, b in
          a == b || a.isNaN && b.isNaN || (a - b).magnitude <= 1e-5 * largest
        }
      }
    } catch {
      throw ComparisonError("the reference cannot be evaluated: \(error)")
    }
  }

  private func isEquivalent(_ graph: Graph, _ inputs: [String: Tensor]) throws(ComparisonError) -> Bool {
    try Validator(original: original, converted: graph, options: options).run(inputs: inputs).isEquivalent
  }

  private func optimized(
    stopAfter: Int, observing observe: Optimizer.Observer? = nil
  ) throws(ComparisonError) -> Graph {
    var graph = original
    do {
      try makeOptimizer(stopAfter).run(&graph, observing: observe)
    } catch {
      throw ComparisonError("the conversion cannot be replayed: \(error)")
    }
    return graph
  }
}
