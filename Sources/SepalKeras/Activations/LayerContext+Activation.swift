import SepalGraph

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
    switch try ActivationReference(activation, field: field) {
    case .function(let name):
      guard let rule = ActivationRules.rule(name, version) else {
        throw unsupported(field, "is '\(name.printable())', which is not supported")
      }
      return try rule(self, value)
    case .layer(let className):
      guard LayerRules.byClassName[className] != nil else {
        throw unsupported(field, "is \(className.printable()), whose code is not in the file")
      }
      return try callInner(activation, attribute: field, [value])[0]
    }
  }

  /// The activation as a function of single elements, as recurrent cells need it.
  func gateFunction(_ field: String, default name: String) throws(KerasError) -> GateFunction {
    guard case .function(let name) = try ActivationReference(entry(field) ?? .string(name), field: field),
      let function = ActivationRules.elementwise(name, version).flatMap({ GateFunction($0) })
    else { throw unsupported(field, "is not supported in a recurrent layer") }
    return function
  }
}

/// What an `activation` entry names.
enum ActivationReference {
  case function(String)
  /// A layer in an activation's place.
  case layer(String)

  init(_ json: JSON, field: String) throws(KerasError) {
    func refused(_ message: String) -> KerasError { KerasError(.unsupported, message, field: field) }
    if let name = json.string {
      // Keras 2 calls a class of that name as well.
      self = name == "LeakyReLU" || name == "ReLU" || name == "ELU" ? .layer(name) : .function(name)
      return
    }
    guard let object = json.object else {
      throw KerasError(.invalid, "is \(json.kind), expected a name", field: field)
    }
    guard let className = object["class_name"]?.string else {
      throw refused("is a function written as code, which would not be run")
    }
    guard className == "function" else {
      guard className != "__lambda__" else { throw refused("is a lambda, whose code would not be run") }
      self = .layer(className)
      return
    }
    // Functions that were registered carry their package's name: `company>cube`.
    guard let name = object["config"]?.string else { throw refused("is a function without a name") }
    let registered = object["registered_name"]?.string ?? "function"
    guard !name.contains(">"), registered == "function" || registered == name else {
      let custom = name.contains(">") ? name : registered
      throw refused("is '\(custom.printable())', a custom function: its code is not in the file")
    }
    guard object["module"]?.string.map({ $0 == "builtins" || $0.hasPrefix("keras") }) ?? true else {
      throw refused("is '\(name.printable())', whose code is not in the file")
    }
    self = .function(name)
  }
}
