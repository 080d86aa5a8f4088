import SepalGraph
import SepalKeras
import SepalNumpy
import SepalPasses
import SepalTensor
import Testing

/// Tiny models, one per feature of a layer: what the graph computes must be what Keras recorded.
struct LayerFixtureTests {
  static let models = RecordedModel.all(in: "keras_layers")

  @Test func thereAreModels() { #expect(Self.models.count > 100) }

  @Test(arguments: models)
  func importedModelsGiveTheRecordedOutputs(model: RecordedModel) throws {
    let (inputs, expected) = try model.arrays(in: "keras_layers")
    var graph: Graph
    do throws(KerasError) {
      graph = try model.load(from: "keras_layers", shapes: inputs.mapValues(\.shape)).graph
      #expect(model.expect != .refuse, "was read")
    } catch {
      #expect(model.expect != .match, "\(error)")
      for word in model.words ?? [] {
        #expect(error.description.lowercased().contains(word.lowercased()), "\(error)")
      }
      return
    }
    let tolerance = model.tolerance ?? 1e-4
    try compare(graph, inputs, expected, "as imported", within: tolerance)
    var options = Optimizer.Options()
    options.verifyEachRewrite = true
    _ = try Optimizer(options).run(&graph)
    try compare(graph, inputs, expected, "optimised", within: tolerance)
  }

  private func compare(
    _ graph: Graph, _ inputs: [String: Tensor], _ expected: [String: Tensor], _ what: String,
    within tolerance: Double
  ) throws {
    let actual = try graph.evaluate(inputs)
    #expect(Set(actual.keys) == Set(expected.keys), "\(what)")
    for (name, tensor) in expected {
      guard let output = actual[name] else { continue }
      let error = difference(output, tensor) ?? .infinity
      #expect(
        error < tolerance,
        "\(what): '\(name)' is \(output.type), expected \(tensor.type); error \(error)\n\(graph)")
    }
  }
}
