extension LayerConfig {
  /// - Parameter path: where the layer is, for errors.
  init(_ json: JSON, path: String) throws(KerasError) {
    guard let object = json.object, let className = object["class_name"]?.string else {
      throw KerasError(
        .invalid, "lists a layer that is \(json.kind), expected an object with a class_name", layer: path)
    }
    self.className = className
    module = object["module"]?.string ?? ""
    // A Sequential of Keras 1 and 2.0 has a list of layers for its configuration.
    let configuration = object["config"] ?? .null
    config = configuration.object ?? JSONObject()
    name = object["name"]?.string ?? config["name"]?.string ?? className
    buildShape = object["build_config"]?.object?["input_shape"]
    isOperation = Self.isOperation(object, module: module, config)
    let inner = path.isEmpty ? name : "\(path)/\(name)"
    if let registered = object["registered_name"]?.string, !Self.isKnownName(registered) {
      throw KerasError(
        .unsupported, "is a custom class, '\(registered)': its code is not in the file and would not be run",
        layer: inner, className: className)
    }
    guard Self.isKnownModule(module) else {
      throw KerasError(
        .unsupported, "is a class of '\(module)': its code is not in the file and would not be run",
        layer: inner,
        className: className)
    }
    if ModelConfig.isModel(className) {
      submodel = try ModelConfig(className: className, configuration, name: name, path: inner)
    } else if configuration.object == nil {
      throw KerasError(
        .invalid, "is \(configuration.kind), expected an object", layer: inner, className: className,
        field: "config")
    }
  }

  /// The module tells, and in `.h5` files, which leave it out, that an operation cannot be trained.
  private static func isOperation(_ object: JSONObject, module: String, _ config: JSONObject) -> Bool {
    guard module.isEmpty else {
      return ["keras.src.ops", "keras.ops", "keras.src.activations"].contains(where: module.hasPrefix)
    }
    let isCalledAsKeras3 = object["inbound_nodes"]?.array?.first?.object != nil
    return isCalledAsKeras3 && config["trainable"] == nil && config["layers"] == nil
  }

  /// Classes that Keras itself registers are named `keras>Name` or `Keras>Name`, and those that nobody does, `Name`.
  private static func isKnownName(_ registered: String) -> Bool {
    !registered.contains(">") || registered.lowercased().hasPrefix("keras>")
  }

  /// The modules in which Keras itself lives, alone or inside TensorFlow. Formats before `.keras` do not name any.
  private static func isKnownModule(_ module: String) -> Bool {
    ["", "keras", "tf_keras"].contains(module)
      || ["keras.", "tf_keras.", "tensorflow.keras.", "tensorflow.python.keras."].contains(
        where: module.hasPrefix)
  }
}

extension ModelConfig {
  static func isModel(_ className: String) -> Bool {
    ["Functional", "Model", "Sequential"].contains(className)
  }

  init(className: String, _ configuration: JSON, name: String, path: String) throws(KerasError) {
    self.className = className
    self.name = configuration.object?["name"]?.string ?? name
    layers = []
    inputs = []
    outputs = []
    if className == "Sequential" {
      try readSequential(configuration, path: path)
    } else {
      try readFunctional(configuration, path: path)
    }
  }

  /// A Sequential becomes the chain that it stands for, behind an InputLayer that older formats leave out.
  private mutating func readSequential(_ configuration: JSON, path: String) throws(KerasError) {
    guard let list = configuration.array ?? configuration.object?["layers"]?.array, !list.isEmpty else {
      throw KerasError(.invalid, "is a Sequential without layers", layer: path)
    }
    for json in list { layers.append(try LayerConfig(json, path: path)) }
    if layers[0].className != "InputLayer" {
      let first = layers[0]
      let shape =
        first.config["batch_input_shape"] ?? first.submodelInputShape
        ?? configuration.object?["build_input_shape"] ?? first.buildShape
      guard let shape, shape.array != nil else {
        throw KerasError(.invalid, "is a Sequential of unknown input shape: it was never built", layer: path)
      }
      let config = JSONObject([
        .init(name: "batch_shape", value: shape),
        .init(name: "dtype", value: first.config["input_dtype"] ?? .string(first.inputElement)),
      ])
      layers.insert(
        LayerConfig(name: first.inputName, className: "InputLayer", module: "", config: config), at: 0)
    }
    for index in layers.indices.dropFirst() {
      layers[index].calls = [
        Call(positional: [.tensor(TensorReference(layer: index - 1, call: 0, output: 0))])
      ]
    }
    layers[0].calls = [Call()]
    inputs = [TensorReference(layer: 0, call: 0, output: 0)]
    outputs = [TensorReference(layer: layers.count - 1, call: 0, output: 0)]
  }
}

extension LayerConfig {
  /// The declared shape of a submodel's first input.
  fileprivate var submodelInputShape: JSON? {
    guard let submodel, let input = submodel.inputs.first else { return nil }
    let config = submodel.layers[input.layer].config
    return config["batch_shape"] ?? config["batch_input_shape"]
  }

  /// What Keras calls the input that it makes for a Sequential's first layer. Keras 1, which wrote `input_dtype`, named
  /// it after the class and numbered it.
  fileprivate var inputName: String {
    config["input_dtype"] == nil ? "\(name)_input" : "\(className.lowercased())_input_1"
  }

  /// What a first layer takes when nothing declares its input.
  fileprivate var inputElement: String { className == "Embedding" ? "int32" : "float32" }

  init(name: String, className: String, module: String, config: JSONObject) {
    self.name = name
    self.className = className
    self.module = module
    self.config = config
  }
}
