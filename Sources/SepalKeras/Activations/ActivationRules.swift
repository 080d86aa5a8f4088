import SepalGraph
import SepalTensor

/// One rule per activation function that Keras knows by name.
enum ActivationRules {
  typealias Rule = @Sendable (LayerContext, ValueID) throws(KerasError) -> ValueID

  static let byName: [String: Rule] = [
    "linear": { _, x throws(KerasError) in x },
    "relu": single(Relu()),
    "relu6": { context, x throws(KerasError) in try context.add(Clip(min: 0, max: 6), [x]) },
    "sigmoid": single(Sigmoid()),
    "tanh": single(Tanh()),
    "softmax": { context, x throws(KerasError) in
      try context.add(Softmax(axis: context.shape(of: x).count - 1), [x])
    },
    "hard_sigmoid": hardSigmoid,
    "hard_silu": hardSwish,
    "hard_swish": hardSwish,
  ]

  static func single(_ op: any Operator) -> Rule {
    { context, x throws(KerasError) in try context.add(op, [x]) }
  }

  /// Keras 3: relu6(x + 3)/6. Keras 1 and 2: clip(0.2·x + 0.5, 0, 1).
  static func hardSigmoid(_ context: LayerContext, _ x: ValueID) throws(KerasError) -> ValueID {
    try context.add(HardSigmoid(alpha: context.version == .three ? 1.0 / 6 : 0.2, beta: 0.5), [x])
  }

  /// x·relu6(x + 3)/6 in every version that has it.
  static func hardSwish(_ context: LayerContext, _ x: ValueID) throws(KerasError) -> ValueID {
    try context.add(HardSwish(), [x])
  }
}

extension LayerContext {
  /// The step that computes what the activation function is then applied to; nil when there is none.
  var preactivation: String? {
    guard let entry = entry("activation"), entry.string != "linear" else { return nil }
    return "linear"
  }

  /// Applies the activation function that the configuration names; none is linear.
  func activate(_ value: ValueID, field: String = "activation") throws(KerasError) -> ValueID {
    guard let entry = entry(field) else { return value }
    return try activate(value, entry, field: field)
  }

  func activate(_ value: ValueID, _ activation: JSON, field: String) throws(KerasError) -> ValueID {
    if let name = activation.string {
      guard let rule = ActivationRules.byName[name] else {
        throw unsupported(field, "is '\(name.printable())', which is not supported")
      }
      return try rule(self, value)
    }
    guard let object = activation.object, let className = object["class_name"]?.string else {
      throw invalid(field, "is \(activation.kind), expected a name")
    }
    // A function by name, or a layer in an activation's place.
    if className == "function", let name = object["config"]?.string,
      object["module"]?.string?.hasPrefix("keras") != false,
      let rule = ActivationRules.byName[name]
    {
      return try rule(self, value)
    }
    guard LayerRules.byClassName[className] != nil else {
      throw unsupported(field, "is \(className.printable()), whose code is not in the file")
    }
    return try callInner(activation, attribute: field, [value])[0]
  }
}
