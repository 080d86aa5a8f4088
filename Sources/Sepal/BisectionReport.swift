import SepalGraph
import SepalPasses
import SepalTensor
import SepalValidation

/// Which rewrite made a converted model wrong. The keys of its JSON form are part of the command line's contract.
public struct BisectionReport: Sendable, Codable {
  /// Something that the checker of single rewrites objects to.
  public struct Fault: Sendable, Codable {
    /// Position in the log, from 1.
    public var rewrite: Int
    public var pass: String
    public var before: [String]
    public var after: [String]
    public var message: String
  }

  /// A small model that goes wrong in the same way, in files.
  public struct Repro: Sendable, Codable {
    /// Nodes of the graph before the rewrite: `original.onnx`.
    public var original: String
    /// What the conversion makes of them: `converted.onnx`.
    public var converted: String
    /// `inputs.npz`, what the original computes on them, `expected.npz`, and the runtime with the converted model,
    /// `actual.npz`; by name.
    public var inputs: String
    public var expected: String
    public var actual: String
    /// Of the original, as it was written.
    public var nodes: Int
  }

  /// `rewrite`, `kernels` (the rewrite is right, what runs it is not), `runtime` (wrong without any rewrite), or `file` (the
  /// conversion is right, and the file holds something else).
  public var finding: String
  /// Rewrites of the log, and how many of its beginnings were validated.
  public var rewrites: Int
  public var trials: Int
  /// The rewrite that was found: its position from 1, and what the log says of it.
  public var rewrite: Int?
  public var pass: String?
  public var before: [String]?
  public var after: [String]?
  public var origins: [String]?
  public var repro: Repro?
  public var faults: [Fault]

  /// - Parameters:
  ///   - inputs: on which the two are not equivalent; nil: those that `options` name.
  ///   - folder: where a small model that shows the same is written, with its inputs; made where it is missing.
  public init(
    _ original: ModelFile, _ converted: ModelFile, options: Validator.Options,
    inputs: [String: Tensor]? = nil,
    reproFolder folder: String? = nil
  ) throws(SepalError) {
    let provenance = converted.graph.provenance
    var optimization = Optimizer.Options()
    optimization.disabledPasses = Set(provenance.disabledPasses).intersection(Optimizer.passNames)
    optimization.separation = Separation(provenance.separation) ?? optimization.separation
    if provenance.costUnit == "ms" { optimization.cost = PredictedTime(try .ofThisMachine()) }
    let result: Bisection.Result
    do {
      guard !converted.graph.provenance.rewrites.isEmpty else {
        throw ComparisonError("the converted model has no rewrite log")
      }
      guard !provenance.isCalibrated else {
        throw ComparisonError(
          "the converted model was fitted to samples, without which its conversion cannot be replayed")
      }
      result = try Bisection(original: original.graph, options: options, optimization: optimization)
        .run(converted.graph, inputs: inputs)
    } catch {
      throw SepalError(.badData, "\(original.path) and \(converted.path): \(error)")
    }
    try self.init(result, reproFolder: folder)
    guard case .file = result.finding else { return }
    faults += LoggedConstants(converted.graph).faults.map {
      Fault(
        rewrite: $0.index + 1, pass: $0.record.pass, before: $0.record.before, after: $0.record.after,
        message: "left constants that are not those in the file")
    }
  }

  package init(_ result: Bisection.Result, reproFolder folder: String?) throws(SepalError) {
    rewrites = result.rewrites
    trials = result.trials
    faults = result.faults.map {
      Fault(rewrite: $0.index + 1, pass: $0.pass, before: $0.before, after: $0.after, message: $0.message)
    }
    switch result.finding {
    case .runtime: finding = "runtime"
    case .file: finding = "file"
    case .rewrite(let culprit):
      finding = culprit.isInKernels ? "kernels" : "rewrite"
      rewrite = culprit.index + 1
      pass = culprit.record.pass
      before = culprit.record.before
      after = culprit.record.after
      origins = culprit.record.origins
      if let folder, let repro = culprit.repro { self.repro = try Repro(repro, in: folder) }
    }
  }
}
