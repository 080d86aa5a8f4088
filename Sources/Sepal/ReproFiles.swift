import SepalFormat
import SepalGraph
import SepalNumpy
import SepalONNX
import SepalTensor
import SepalValidation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension BisectionReport.Repro {
  /// Writes both models and three archives to `folder`, which is made where it is missing.
  ///
  /// The models are ONNX, so that any runtime can tell who is right: on `inputs.npz` it computes `expected.npz` with the
  /// original. With the converted model it computes `actual.npz` where a rewrite is wrong, and `expected.npz` where kernels are.
  /// What no operator set of ONNX can say is written as a native file.
  init(_ repro: Bisection.Repro, in folder: String) throws(SepalError) {
    guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
      throw SepalError(.inaccessible, "\(folder): \(String(cString: strerror(errno)))")
    }
    (original, nodes) = try Self.write(repro.original, to: "\(folder)/original")
    (converted, _) = try Self.write(repro.converted, to: "\(folder)/converted")
    inputs = try Self.write(repro.inputs, to: "\(folder)/inputs.npz")
    expected = try Self.write(repro.expected, to: "\(folder)/expected.npz")
    actual = try Self.write(repro.actual, to: "\(folder)/actual.npz")
  }

  private static func write(
    _ graph: Graph, to path: String
  ) throws(SepalError) -> (path: String, nodes: Int) {
    for opset in [ONNXOptions().opset, ONNXExporter.opsets.upperBound] {
      var options = ONNXOptions()
      options.opset = opset
      options.producerVersion = SepalVersion.current
      do {
        return ("\(path).onnx", try ONNXExporter(options).write(graph, to: "\(path).onnx").nodeCount)
      } catch  where error.code == .unsupported {
        continue
      } catch {
        throw SepalError(error)
      }
    }
    do {
      try SepalWriter().write(graph, to: "\(path).sepal")
      return ("\(path).sepal", graph.nodeCount)
    } catch {
      throw SepalError(error)
    }
  }

  private static func write(_ tensors: [String: Tensor], to path: String) throws(SepalError) -> String {
    do {
      try NumpyFile.write(tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, to: path)
      return path
    } catch {
      throw SepalError(error)
    }
  }
}
