import SepalFormat
import SepalGraph
import SepalPasses
import SepalValidation

/// Reads a model, optimises it, and writes it as a native file or, where the output's name ends in `.onnx`, as an ONNX model.
public struct Converter: Sendable {
  /// Shapes of inputs by name, for sources that leave dimensions open.
  public var shapes: [String: [Int]] = [:]
  /// The HDF5 file with the weights of a Keras model, where they are not in its own file.
  public var weights: String?
  public var storage = Storage.compact
  public var precision = StoragePrecision.f32
  public var optimization = Optimizer.Options()
  /// Samples of the inputs that approximations are fitted to.
  public var calibration: Calibration?
  /// Whether the file gets a golden vector; nil: where its source is quick to evaluate.
  public var golden: Bool?
  /// Leave out where values come from, what was done to them, and golden vectors.
  public var strips = false
  /// Check of each rewrite that what comes computes the same as what goes: see `RewriteChecker`.
  public var verifies = false

  /// How an ONNX model is written; nil for a native file, or to let the output's name decide.
  public var onnx: ONNXOptions?

  public init() {}

  /// What a conversion did. The keys of its JSON form are part of the command line's contract.
  public struct Report: Sendable, Codable {
    public struct Pass: Sendable, Codable {
      public var name: String
      public var rewrites: Int
      public var milliseconds: Double
    }

    public var input: String
    public var output: String
    public var bytesIn: Int
    public var bytesOut: Int
    public var nodesBefore: Int
    public var nodesAfter: Int
    public var seconds: Double
    public var passes: [Pass]
    /// Rewrites that were checked; nil unless asked for.
    public var verified: Int?
  }

  public struct Result: Sendable {
    public var report: Report
    /// The graph as it was written.
    public var graph: Graph
    /// What was assumed on the way.
    public var notes: [String]
  }

  public func convert(_ input: String, to output: String) throws(SepalError) -> Result {
    if output.hasSuffix(".onnx") { return try export(input, to: output) }
    guard output.hasSuffix(".sepal") else {
      throw SepalError(.usage, "\(output): the output formats are .sepal and .onnx")
    }
    guard onnx == nil else {
      throw SepalError(.usage, "\(output): an operator set and external data are for .onnx files")
    }
    let start = ContinuousClock.now
    let source = try ModelFile(path: input, shapes: shapes, weights: weights)
    let record = strips ? nil : try SourceRecord(source, golden: golden)
    let optimized = try optimized(source, keepsLog: !strips)
    var (graph, notes) = (optimized.graph, optimized.notes)
    if golden == false { graph.provenance.golden = [] }
    try record?.complete(&graph, notes: &notes)
    let writer = SepalWriter(storage: storage, precision: precision, strips: strips)
    try accept(lossOf: writer, &graph)
    let bytesOut: Int
    do {
      bytesOut = try writer.write(graph, to: output)
    } catch {
      throw SepalError(error)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let report = optimized.report(source, output, bytesOut: bytesOut, nodes: graph.nodeCount, seconds)
    return Result(report: report, graph: graph, notes: notes)
  }

  /// Judges the file by what its precision and approximate rewrites promise.
  private func accept(lossOf writer: SepalWriter, _ graph: inout Graph) throws(SepalError) {
    let isApproximate = graph.provenance.rewrites.contains { record in
      if case .approximate = record.exactness { true } else { false }
    }
    guard !strips, !graph.provenance.golden.isEmpty,
      let stored = writer.lossy(graph) ?? (isApproximate ? graph : nil)
    else { return }
    do throws(ComparisonError) {
      for index in graph.provenance.golden.indices {
        try graph.provenance.golden[index].accept(lossOf: stored)
      }
    } catch {
      throw SepalError(.internalError, "\(error)")
    }
  }
}
