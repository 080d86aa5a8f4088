import SepalGraph
import SepalRuntime
import SepalTensor

extension ModelFile {
  /// Runs the model once; outputs in the model's order.
  public func run(
    _ inputs: [String: Tensor], threads: Int = 1
  ) throws(SepalError) -> [(name: String, tensor: Tensor)] {
    do {
      let model = try Model(graph, options: ModelOptions(threads: threads))
      let outputs = try model.makeSession().run(inputs: inputs)
      return graph.outputs.compactMap { output in outputs[output.name].map { (output.name, $0) } }
    } catch {
      throw SepalError(error, path: path)
    }
  }
}
