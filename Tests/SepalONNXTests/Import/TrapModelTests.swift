import Foundation
import SepalGraph
import SepalNumpy
import SepalONNX
import SepalTensor
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

/// Whole models, on request: `SEPAL_ONNX_MODELS` names a folder of `NAME.onnx` and `NAME.npz` as in `fixtures/traps`.
@Suite struct WholeModelTests {
  static let folder = ProcessInfo.processInfo.environment["SEPAL_ONNX_MODELS"]

  @Test(.enabled(if: folder != nil), arguments: folder.map { files(in: $0, withExtension: "onnx") } ?? [])
  func referenceEvaluationGivesTheRecordedOutputs(name: String) throws {
    try expectRecordedOutputs(
      "\(try #require(Self.folder))/\(name)", tolerance: 1e-4, relativeToLargest: true)
  }
}

/// Imports `path`.onnx and compares its reference evaluation with what `path`.npz recorded.
private func expectRecordedOutputs(
  _ path: String, tolerance: Double, relativeToLargest: Bool = false
) throws {
  let arrays = try NumpyFile.read(path: "\(path).npz")
  let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
  let graph = try ONNXImporter(.init(shapes: inputs.mapValues(\.shape))).load(path: "\(path).onnx").graph
  try graph.verify()
  let outputs = try graph.evaluate(inputs)
  #expect(outputs.count == arrays.count - inputs.count)
  for (output, tensor) in outputs {
    let expected = try #require(arrays["out:\(output)"], "no recorded '\(output)'")
    let magnitude = relativeToLargest ? expected.doubles().map(abs).max() ?? 1 : 1
    let difference = tensor.difference(from: expected, tolerance: tolerance, magnitude: magnitude)
    #expect(difference == nil, "\(output)")
  }
}

/// `fixtures/broken`: files with one fault each, and words that the error must have.
@Suite struct BrokenModelTests {
  static let folder = fixtures("broken")
  static let words: [String: [String]] = {
    guard let data = FileManager.default.contents(atPath: "\(folder)/broken.json") else { return [:] }
    return (try? JSONDecoder().decode([String: [String]].self, from: data)) ?? [:]
  }()

  @Test func thereAreBrokenModels() { #expect(Self.words.count > 40) }

  @Test(arguments: words.keys.sorted()) func theErrorSaysWhatIsWrong(name: String) throws {
    let error = try #require(throws: ONNXError.self) {
      try ONNXImporter().load(path: "\(Self.folder)/\(name)")
    }
    #expect(error.description.hasPrefix("\(Self.folder)/\(name): "))
    let text = error.description.lowercased()
    for word in Self.words[name] ?? [] { #expect(text.contains(word.lowercased()), "\(error)") }
  }
}

/// A folder of `fixtures`, next to `Tests`.
func fixtures(_ folder: String) -> String {
  let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../fixtures").standardized
  return root.appendingPathComponent(folder).path
}

/// Names without their extension, sorted.
func files(in folder: String, withExtension suffix: String) -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  return names.filter { $0.hasSuffix(".\(suffix)") }.map { String($0.dropLast(suffix.count + 1)) }.sorted()
}
