import Foundation
import SepalGraph
import SepalNumpy
import SepalONNX
import Testing

/// `fixtures/traps`: small models with the outputs that ONNX Runtime recorded.
@Suite struct TrapModelTests {
  static let folder = fixtures("traps")
  static let names = files(in: folder, withExtension: "onnx")

  @Test(arguments: names) func referenceEvaluationGivesTheRecordedOutputs(name: String) throws {
    try expectRecordedOutputs("\(Self.folder)/\(name)", tolerance: 2e-5)
  }

  @Test(arguments: names) func everyNodeOutputKeepsItsNameAsOrigin(name: String) throws {
    let inputs = try NumpyFile.read(path: "\(Self.folder)/\(name).npz").filter { !$0.key.hasPrefix("out:") }
    let model = try ONNXModel(contentsOf: "\(Self.folder)/\(name).onnx")
    let graph = try ONNXImporter(.init(shapes: inputs.mapValues(\.shape))).load(model).graph
    let named = Set(model.graph.nodes.flatMap(\.outputs))
    for value in graph.values where value.producer != nil && named.contains(value.name) {
      #expect(value.origins.map(\.name) == [value.name])
    }
    #expect(graph.outputs.map(\.name) == model.graph.outputs.map(\.name))
    #expect(graph.provenance.sourceNodeCount == model.graph.nodes.count)
  }
}
