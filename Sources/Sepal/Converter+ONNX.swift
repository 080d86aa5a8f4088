import SepalGraph
import SepalONNX
import SepalPasses

/// How an ONNX model is written.
public typealias ONNXOptions = ONNXExporter.Options

extension Converter {
  /// Writes the optimised graph with standard operators, channels first.
  func export(_ input: String, to output: String) throws(SepalError) -> Result {
    guard precision == .f32, storage == .compact, golden != true, !strips else {
      throw SepalError(
        .usage, "\(output): precision, storage, golden vectors and stripping are for .sepal files")
    }
    var options = onnx ?? ONNXOptions()
    options.producerVersion = SepalVersion.current
    guard ONNXExporter.opsets.contains(options.opset) else {
      let (oldest, newest) = (ONNXExporter.opsets.lowerBound, ONNXExporter.opsets.upperBound)
      throw SepalError(.usage, "operator set (opset) is \(options.opset), expected \(oldest) to \(newest)")
    }
    let start = ContinuousClock.now
    let source = try ModelFile(path: input, shapes: shapes, weights: weights)
    var graph = source.graph
    let nodesBefore = max(graph.provenance.sourceNodeCount, graph.nodeCount)
    var optimized: OptimizationReport
    do {
      optimized = try Optimizer(optimization).run(&graph)
      optimized.add(try Optimizer.export().run(&graph))
    } catch {
      throw SepalError(error.code == .unknownPass ? .usage : .internalError, "\(input): \(error)")
    }
    let written: ONNXExporter.Result
    do {
      written = try ONNXExporter(options).write(graph, to: output)
    } catch {
      throw SepalError(error)
    }
    let report = Report(
      input: input, output: output, bytesIn: source.byteCount, bytesOut: written.byteCount,
      nodesBefore: nodesBefore, nodesAfter: written.nodeCount,
      seconds: (ContinuousClock.now - start) / .seconds(1),
      passes: optimized.passes.map {
        .init(name: $0.name, rewrites: $0.rewrites, milliseconds: $0.milliseconds)
      })
    return Result(report: report, graph: graph, notes: source.notes)
  }
}
