import SepalGraph
import SepalRuntime
import SepalTensor

extension ModelFile {
  /// Runs the model once; outputs in the model's order. Takes the memory of the weights once where this is the last copy
  /// of the file (`consume`).
  public consuming func run(
    _ inputs: [String: Tensor], threads: Int = 1
  ) throws(SepalError) -> [(name: String, tensor: Tensor)] {
    let model = try makeModel(ModelOptions(threads: threads))
    do {
      let outputs = try model.makeSession().run(inputs: inputs)
      return model.graph.outputs.compactMap { output in outputs[output.name].map { (output.name, $0) } }
    } catch {
      throw SepalError(error, path: path)
    }
  }

  /// The model, ready to run, which has taken over the graph: see `Model.init(consuming:options:)`.
  mutating func makeModel(_ options: ModelOptions) throws(SepalError) -> Model {
    let taken = graph
    graph = Graph()
    do {
      return try Model(consuming: consume taken, options: options)
    } catch {
      throw SepalError(error, path: path)
    }
  }
}
