import SepalGraph
import SepalTensor

extension LayerContext {
  /// The context of an operation: what is set in the configuration, or given as a keyword, is its configuration.
  func withSettings() -> LayerContext {
    // A TFOpLambda's own configuration is about the layer, its dtype for one.
    let own = layer.isTensorFlowOperation ? [] : layer.config.members
    let settings = own + operands.takeSettings()
    return reading(JSONObject(settings.filter { $0.name != "name" && $0.name != "trainable" }))
  }

  /// Settings that make no difference, or not here.
  func ignore(_ settings: String...) {
    for setting in settings { _ = entry(setting) }
  }

  // MARK: Operands

  /// Argument `index` of the call, or the keyword of one of `names`; nil when it was not given or is null.
  func optionalOperand(_ index: Int, _ names: [String]) -> Operands.Operand? {
    if index < operands.positional.count, let operand = operands.argument(index) { return operand }
    for name in names {
      if let json = entry(name) { return .constant(json) }
    }
    return operands.keyword(names)
  }

  func operand(_ index: Int, _ names: String...) throws(KerasError) -> Operands.Operand {
    guard let operand = optionalOperand(index, names) else {
      throw KerasError(.invalid, "is called without '\(names[0])'")
    }
    return operand
  }

  /// An operand that is a tensor; numbers become a constant of `element`.
  func tensor(
    _ index: Int, _ names: String..., element: ElementType? = nil
  ) throws(KerasError) -> ValueID {
    guard let operand = optionalOperand(index, names) else {
      throw KerasError(.invalid, "is called without '\(names[0])'")
    }
    return try value(operand, element: element, step: names[0])
  }

  /// The tensors of an operand that is a list.
  func tensors(_ index: Int, _ names: String...) throws(KerasError) -> [ValueID] {
    guard let operand = optionalOperand(index, names) else {
      throw KerasError(.invalid, "is called without '\(names[0])'")
    }
    guard case .list(let elements) = operand, !elements.isEmpty else { return try promoted([operand]) }
    return try promoted(elements)
  }

  /// An operand of floating point: Keras 3 converts integers, TensorFlow does not take them.
  func floatTensor(_ index: Int, _ names: String...) throws(KerasError) -> ValueID {
    guard let operand = optionalOperand(index, names) else {
      throw KerasError(.invalid, "is called without '\(names[0])'")
    }
    return try floating(try value(operand, step: names[0]))
  }

  func floating(_ value: ValueID) throws(KerasError) -> ValueID {
    guard !type(of: value).element.isFloat else { return value }
    guard !layer.isTensorFlowOperation else {
      throw KerasError(.invalid, "is called with \(type(of: value)), expected floating point")
    }
    return try cast(value, to: .float32, step: "float")
  }

  func cast(_ value: ValueID, to element: ElementType, step: String? = nil) throws(KerasError) -> ValueID {
    type(of: value).element == element ? value : try add(Cast(to: element), [value], step: step)
  }

  /// A number of the element type of `value` as an operand.
  func scalar(_ number: Double, like value: ValueID, step: String) -> ValueID {
    add(scalar: number, type(of: value).element, step: step)
  }

  // MARK: Types

  /// Operands in the one element type in which the version computes with them.
  ///
  /// TensorFlow takes numbers as what the tensors are; Keras 3 promotes.
  func promoted(
    _ operands: [Operands.Operand], with other: [NumberType] = []
  ) throws(KerasError) -> [ValueID] {
    var element: ElementType?
    if layer.isTensorFlowOperation {
      for case .value(let value) in operands where element == nil { element = type(of: value).element }
    } else {
      var types = other
      for operand in operands { types.append(try numberType(operand)) }
      element = NumberType.promoted(types)
    }
    var values: [ValueID] = []
    for (index, operand) in operands.enumerated() {
      let step = operands.count == 2 ? ["a", "b"][index] : "operand\(index)"
      let value = try value(operand, element: element, step: step)
      values.append(
        layer.isTensorFlowOperation ? value : try cast(value, to: element ?? .float32, step: step))
    }
    return values
  }

  private func numberType(_ operand: Operands.Operand) throws(KerasError) -> NumberType {
    if case .value(let value) = operand { return .element(type(of: value).element) }
    switch operand.json {
    case .int: return .weakInt
    case .double: return .weakFloat
    case .bool: return .element(.bool)
    case let json?: return .element(try ArrayConstant(json, name: "operand").element)
    case nil: throw KerasError(.unsupported, "is called with a list of tensors where it takes one")
    }
  }

  /// An operand as a value: numbers become a constant of `element`, or else of the type that they say.
  func value(
    _ operand: Operands.Operand, element: ElementType? = nil, step: String
  ) throws(KerasError) -> ValueID {
    if case .value(let value) = operand { return value }
    guard let json = operand.json else {
      throw KerasError(.unsupported, "is called with a list of tensors as '\(step)'")
    }
    let constant = try ArrayConstant(json, name: step)
    if constant.isFloat64 {
      noteFirst(
        "float64 constants", "constants of '\(name)' are float64 in the file and were rounded to float32")
    }
    return add(constant: try constant.tensor(element ?? constant.element), step: step)
  }

  // MARK: Integers

  /// Integers that an operation takes as a list, a tensor that is known at import, or a mixture.
  func integers(_ index: Int, _ names: String...) throws(KerasError) -> [Int]? {
    guard let operand = optionalOperand(index, names) else { return nil }
    return try integers(operand, names[0])
  }

  private func integers(_ operand: Operands.Operand, _ name: String) throws(KerasError) -> [Int] {
    switch operand {
    case .value(let value):
      guard let tensor = constant(value), let integers = tensor.integers(), tensor.count <= 1024 else {
        throw KerasError(
          .unsupported, "is called with '\(name)' that is computed at run time, expected constants")
      }
      return integers.map { Int($0) }
    case .constant(let json):
      if let single = json.int { return [single] }
      guard let list = json.plainValue.array else {
        throw invalid(name, "is \(json.kind), expected integers")
      }
      var values: [Int] = []
      for element in list {
        guard let value = element.int else { throw invalid(name, "holds \(element.kind), expected integers") }
        values.append(value)
      }
      return values
    case .list(let elements):
      var values: [Int] = []
      for element in elements {
        let value = try integers(element, name)
        guard value.count == 1 else { throw invalid(name, "is nested, expected integers") }
        values += value
      }
      return values
    case .dictionary: throw invalid(name, "is an object, expected integers")
    }
  }

  /// Axes counted from the front; all of them where none are given.
  func reductionAxes(_ rank: Int, _ names: String...) throws(KerasError) -> [Int] {
    guard let given = optionalOperand(Int.max, names) else { return Array(0..<rank) }
    var axes: [Int] = []
    for value in try integers(given, names[0]) {
      let axis = try axis(value, rank: rank, names[0])
      guard !axes.contains(axis) else { throw invalid(names[0], "names axis \(axis) twice") }
      axes.append(axis)
    }
    return axes.sorted()
  }

  /// One axis counted from the front.
  func singleAxis(
    rank: Int, default value: Int? = nil, _ names: String...
  ) throws(KerasError) -> Int {
    let names = names.isEmpty ? ["axis"] : names
    let given = try optionalOperand(Int.max, names).map { operand throws(KerasError) in
      try integers(operand, names[0])
    }
    guard let given = given ?? value.map({ [$0] }) else { throw invalid(names[0], "is missing") }
    guard given.count == 1 else { throw invalid(names[0], "has \(given.count) values, expected one") }
    return try axis(given[0], rank: rank, names[0])
  }
}
