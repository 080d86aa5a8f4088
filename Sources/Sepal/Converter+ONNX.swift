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
    let later: Optimizer
    do {
      later = try Optimizer.export()
    } catch {
      throw SepalError(.internalError, "\(input): \(error)")
    }
    let optimized = try optimized(source, later: later, keepsLog: false)
    let graph = optimized.graph
    let written: ONNXExporter.Result
    do {
      written = try ONNXExporter(options).write(graph, to: output)
    } catch {
      throw SepalError(error)
    }
    var notes = optimized.notes
    if let path = written.weightsPath, !options.usesExternalData {
      notes.append(
        "more than 2 GB do not fit into one ONNX file: the weights are in '\(path)', beside the model")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let report = optimized.report(
      source, output, bytesOut: written.byteCount, nodes: written.nodeCount, seconds)
    return Result(report: report, graph: graph, notes: notes)
  }
}
