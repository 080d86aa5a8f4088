import Foundation
import SepalGraph
import SepalKeras

/// Models of a few layers, as Keras 3 writes their configuration.
enum ModelBuilder {
  /// The configuration of a layer that every layer of Keras 3 has.
  private static var common: [String: Any] { ["trainable": true, "dtype": "float32"] }

  /// One layer over inputs `x0`, `x1` …, of these shapes; several are handed over as a list.
  static func model(
    of className: String, _ config: [String: Any] = [:], inputs: [[Int]], arguments: [String: Any] = [:]
  ) -> [String: Any] {
    let tensors = inputs.indices.map { tensor("x\($0)") }
    let layer = layer(
      className, "y", config, [tensors.count == 1 ? tensors[0] : tensors], arguments: arguments)
    return model(inputs: inputs, [layer], output: "y")
  }

  /// Layers, each called with the output of the one before; the first with `x0`.
  static func chain(_ layers: [(className: String, config: [String: Any])], input: [Int]) -> [String: Any] {
    var previous = "x0"
    var entries: [[String: Any]] = []
    for (index, (className, config)) in layers.enumerated() {
      entries.append(layer(className, "layer\(index)", config, [tensor(previous)], arguments: [:]))
      previous = "layer\(index)"
    }
    return model(inputs: [input], entries, output: previous)
  }

  private static func tensor(_ layer: String) -> [String: Any] {
    ["class_name": "__keras_tensor__", "config": ["keras_history": [layer, 0, 0] as [Any]]]
  }

  private static func layer(
    _ className: String, _ name: String, _ config: [String: Any], _ operands: [Any],
    arguments: [String: Any]
  ) -> [String: Any] {
    [
      "class_name": className, "module": "keras.layers", "name": name,
      "config": common.merging(config) { $1 }.merging(["name": name]) { $1 },
      "inbound_nodes": [["args": operands, "kwargs": arguments] as [String: Any]],
    ]
  }

  private static func model(
    inputs: [[Int]], _ layers: [[String: Any]], output: String
  ) -> [String: Any] {
    let declared = inputs.enumerated().map { index, shape -> [String: Any] in
      [
        "class_name": "InputLayer", "name": "x\(index)", "inbound_nodes": [Any](),
        "config": ["batch_shape": shape, "dtype": "float32", "name": "x\(index)"] as [String: Any],
      ]
    }
    let config: [String: Any] = [
      "name": "model", "layers": declared + layers,
      "input_layers": inputs.indices.map { ["x\($0)", 0, 0] as [Any] },
      "output_layers": [[output, 0, 0] as [Any]],
    ]
    return ["class_name": "Functional", "keras_version": "3.15.1", "config": config]
  }

  /// Imports a configuration through a file, with the weights of another.
  static func load(
    _ model: Any, weights: String? = nil, shapes: [String: [Int]] = [:]
  ) throws -> ImportedModel {
    let data = try JSONSerialization.data(withJSONObject: model)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "sepal-\(UUID().uuidString).json")
    try data.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try KerasImporter(.init(shapes: shapes, weights: weights)).load(path: file.path)
  }

  /// The error that importing ends with; nil when it does not.
  static func error(
    _ model: Any, weights: String? = nil, shapes: [String: [Int]] = [:]
  ) throws -> KerasError? {
    do {
      _ = try load(model, weights: weights, shapes: shapes)
      return nil
    } catch let error as KerasError {
      return error
    }
  }
}
