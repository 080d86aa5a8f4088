import SepalFormat
import SepalGraph
import SepalPasses

/// Reads a model, optimises it, and writes it as a native file.
public struct Converter: Sendable {
  /// Shapes of inputs by name, for sources that leave dimensions open.
  public var shapes: [String: [Int]] = [:]
  /// The HDF5 file with the weights of a Keras model, where they are not in its own file.
  public var weights: String?
  public var storage = Storage.compact
  public var precision = StoragePrecision.f32
  public var optimization = Optimizer.Options()

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
  }

  public struct Result: Sendable {
    public var report: Report
    /// The graph as it was written.
    public var graph: Graph
    /// What was assumed on the way.
    public var notes: [String]
  }

  public func convert(_ input: String, to output: String) throws(SepalError) -> Result {
    guard output.hasSuffix(".sepal") else {
      throw SepalError(.usage, "\(output): the only output format is .sepal")
    }
    let start = ContinuousClock.now
    let source = try ModelFile(path: input, shapes: shapes, weights: weights)
    var graph = source.graph
    // From an optimised file, `nodesBefore` is still what its source had.
    let nodesBefore = max(graph.provenance.sourceNodeCount, graph.nodeCount)
    let optimized: OptimizationReport
    do {
      optimized = try Optimizer(optimization).run(&graph)
    } catch {
      throw SepalError(error.code == .unknownPass ? .usage : .internalError, "\(input): \(error)")
    }
    let bytesOut: Int
    do {
      bytesOut = try SepalWriter(storage: storage, precision: precision).write(graph, to: output)
    } catch {
      throw SepalError(error)
    }
    let report = Report(
      input: input, output: output, bytesIn: source.byteCount, bytesOut: bytesOut, nodesBefore: nodesBefore,
      nodesAfter: graph.nodeCount, seconds: (ContinuousClock.now - start) / .seconds(1),
      passes: optimized.passes.map {
        .init(name: $0.name, rewrites: $0.rewrites, milliseconds: $0.milliseconds)
      })
    return Result(report: report, graph: graph, notes: source.notes)
  }
}
