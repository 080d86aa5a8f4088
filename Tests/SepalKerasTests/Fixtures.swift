import Foundation
import SepalGraph
import SepalKeras
import SepalNumpy
import SepalTensor
import Testing

/// Committed models; `fixtures/README.md` describes them.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures").standardized

  /// Of a file among the fixtures; absolute paths stay what they are.
  static func path(_ name: String) -> String {
    name.hasPrefix("/") ? name : folder.appendingPathComponent(name).path
  }
}

/// One model that Keras wrote, with what Keras makes of it.
struct RecordedModel: Decodable, Sendable, CustomTestStringConvertible {
  enum Expectation: String, Decodable { case match, refuse, either }

  var name: String
  /// The major version.
  var keras: Int?
  var file: String
  var weights: String?
  var about: String?
  var expect: Expectation?
  var words: [String]?
  var values: String?
  /// How far outputs may be from the recorded ones, for layers of lower precision.
  var tolerance: Double?
  /// Which application of Keras it is.
  var family: String?
  /// `model.count_params()`.
  var parameters: Int?
  /// The same network as another converter exports it.
  var onnx: String?
  /// The zip that holds the files, unless they lie beside it.
  var archive: String?

  var testDescription: String { name }

  static func all(in folder: String) -> [RecordedModel] {
    let index = URL(fileURLWithPath: Fixtures.path("\(folder)/index.json"))
    guard let data = try? Data(contentsOf: index),
      let models = try? JSONDecoder().decode([RecordedModel].self, from: data)
    else { return [] }
    return models
  }

  func load(from folder: String, shapes: [String: [Int]]) throws(KerasError) -> ImportedModel {
    let weights = weights.map { Fixtures.path("\(folder)/\($0)") }
    return try KerasImporter(.init(shapes: shapes, weights: weights))
      .load(path: Fixtures.path("\(folder)/\(file)"))
  }

  /// Inputs, and outputs, which lie behind `out:`.
  func arrays(in folder: String) throws -> (inputs: [String: Tensor], outputs: [String: Tensor]) {
    guard let values else { return ([:], [:]) }
    let arrays = try NumpyFile.read(path: Fixtures.path("\(folder)/\(values)"))
    var (inputs, outputs): ([String: Tensor], [String: Tensor]) = ([:], [:])
    for (name, tensor) in arrays {
      if name.hasPrefix("out:") { outputs[String(name.dropFirst(4))] = tensor } else { inputs[name] = tensor }
    }
    return (inputs, outputs)
  }
}

/// The largest difference, relative to the largest expected magnitude; nil when types differ.
func difference(_ actual: Tensor, _ expected: Tensor) -> Double? {
  guard actual.shape == expected.shape, actual.element == expected.element else { return nil }
  let (x, y) = (actual.doubles(), expected.doubles())
  let scale = max(y.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0, 1e-6)
  var worst = 0.0
  for (a, b) in zip(x, y) where !(a == b || a.isNaN && b.isNaN) {
    let error = (a - b).magnitude
    worst = error.isFinite ? max(worst, error / scale) : .infinity
  }
  return worst
}
