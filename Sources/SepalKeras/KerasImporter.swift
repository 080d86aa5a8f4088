import SepalGraph
import SepalTensor

/// Turns a Keras model file into a graph of canonical operators over static shapes, without Python.
///
/// Reads whole-model `.h5` files of Keras 1 to 3, `.keras` archives of Keras 2 and 3, and an architecture in JSON
/// (`model.to_json()` or the `config.json` of an archive) beside a weights-only HDF5 file. Nothing in a file is ever
/// executed: Lambda layers and custom classes are refused.
public struct KerasImporter: Sendable {
  public struct Options: Sendable {
    /// Shapes of the model's inputs, by name. Needed where the file leaves a dimension other than the first open.
    public var shapes: [String: [Int]]
    /// The file that holds the weights, where it is not the model's own.
    public var weights: String?

    public init(shapes: [String: [Int]] = [:], weights: String? = nil) {
      self.shapes = shapes
      self.weights = weights
    }
  }

  public var options: Options

  public init(_ options: Options = Options()) { self.options = options }

  /// Reads and imports a model. Weights stay in the file, which is mapped while one of them is in use.
  public func load(path: String) throws(KerasError) -> ImportedModel {
    do throws(KerasError) {
      let source = try KerasSource(path: path, weights: options.weights)
      var imported = try load(source)
      imported.companions = options.weights.map { [$0] } ?? []
      return imported
    } catch {
      var error = error
      if error.file == nil { error.file = path }
      throw error
    }
  }

  /// Imports a file in memory, and the weights of another where it does not hold its own.
  package func load(
    _ storage: TensorStorage, weights: TensorStorage? = nil
  ) throws(KerasError) -> ImportedModel {
    var source = try KerasSource(storage)
    if let weights { source.weights = try KerasSource.weights(in: weights) }
    return try load(source)
  }

  private func load(_ source: KerasSource) throws(KerasError) -> ImportedModel {
    try refuseUnsupportedLayers(source.model)
    let importing = ModelImport(source, options)
    return try importing.run()
  }

  /// Layer classes that can be imported, sorted.
  public static var supportedLayers: [String] {
    (LayerRules.byClassName.keys + ["Functional", "InputLayer", "Model", "Sequential"]).sorted()
  }

  /// Activation functions that are known by name, sorted.
  public static var supportedActivations: [String] { ActivationRules.names }

  /// Operations that can be imported, sorted: of Keras 3 by class (`Add`), of TensorFlow by function (`math.add`).
  public static var supportedOperations: [String] { OperationRules.names }

  /// Everything that is not supported, at once.
  private func refuseUnsupportedLayers(_ model: ModelConfig) throws(KerasError) {
    var unsupported: [(what: String, layer: String)] = []
    func collect(_ model: ModelConfig, _ path: String) {
      for layer in model.layers {
        let inner = path + layer.name
        if let submodel = layer.submodel {
          collect(submodel, inner + "/")
        } else if let what = layer.unsupported {
          unsupported.append((what, inner))
        }
      }
    }
    collect(model, "")
    guard let first = unsupported.first else { return }
    guard unsupported.count > 1 else {
      throw KerasError(.unsupported, "\(first.what) is not supported", layer: first.layer)
    }
    let grouped = Dictionary(grouping: unsupported) { $0.what }.sorted { $0.key < $1.key }
    let list = grouped.prefix(40).map { what, layers in
      "\(what) ('\(layers[0].layer)'\(layers.count > 1 ? " and \(layers.count - 1) more" : ""))"
    }
    throw KerasError(.unsupported, "these layers are not supported: \(list.joined(separator: ", "))")
  }
}

extension LayerConfig {
  /// What it is, when no rule imports it.
  fileprivate var unsupported: String? {
    if className == "InputLayer" { return nil }
    if let operation = operationName {
      return OperationRules.rule(operation) == nil ? "the operation \(operationPath ?? operation)" : nil
    }
    if LayerRules.byClassName[className] != nil { return nil }
    return className == "Lambda" ? "Lambda, whose code would have to be run," : "the layer \(className)"
  }

  /// The key of an operation in `OperationRules`; nil for a layer.
  var operationName: String? {
    switch className {
    case "TFOpLambda", "SlicingOpLambda": config["function"]?.string ?? className
    case "TensorFlowOpLayer": config["node_def"]?.object?["op"]?.string.map { "raw_ops.\($0)" } ?? className
    default: isOperation ? className : nil
    }
  }

  /// How Python calls the operation: `keras.src.ops.numpy.Add`, `tf.math.add`.
  private var operationPath: String? {
    operationName.map { isTensorFlowOperation ? "tf.\($0)" : "\(module).\($0)" }
  }
}
