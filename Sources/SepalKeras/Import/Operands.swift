import SepalGraph

/// What a call of a layer was given: tensors as values of the graph, everything else as the configuration has it.
///
/// A class that remembers what was asked for, so that an argument which no rule knows is never silently ignored.
final class Operands {
  indirect enum Operand {
    case value(ValueID)
    case constant(JSON)
    case list([Operand])
    case dictionary([(name: String, value: Operand)])
  }

  let positional: [Operand]
  let keywords: [(name: String, value: Operand)]
  /// Whether a rule has taken the mask of a value into account.
  var hasReadMask = false
  private var readPositions: Set<Int> = []
  private var readKeywords: Set<String> = []

  init(
    _ call: Call, _ value: (TensorReference) throws(KerasError) -> ValueID
  ) throws(KerasError) {
    var positional: [Operand] = []
    for argument in call.positional { positional.append(try Operand(argument, value)) }
    var keywords: [(name: String, value: Operand)] = []
    for (name, argument) in call.keywords { keywords.append((name, try Operand(argument, value))) }
    self.positional = positional
    self.keywords = keywords
  }

  init(_ positional: [Operand], _ keywords: [(name: String, value: Operand)]) {
    self.positional = positional
    self.keywords = keywords
  }

  /// The keywords that hold no tensor: what Python sets, rather than what it computes with.
  func takeSettings() -> [JSONObject.Member] {
    keywords.compactMap { name, value in
      value.json.map { json in
        readKeywords.insert(name)
        return JSONObject.Member(name: name, value: json)
      }
    }
  }

  /// The operands of a layer inside another: values only.
  init(_ values: [ValueID]) {
    positional = [values.count == 1 ? .value(values[0]) : .list(values.map(Operand.value))]
    keywords = []
  }

  /// Every tensor of the call.
  var values: [ValueID] { (positional + keywords.map(\.value)).flatMap(\.values) }

  /// Argument `index`, or the keyword of one of `names`; nil when it was not given or is null.
  func argument(_ index: Int, _ names: String...) -> Operand? {
    if index < positional.count {
      readPositions.insert(index)
      return positional[index].nonNull
    }
    return keyword(names)
  }

  func keyword(_ names: [String]) -> Operand? {
    for (name, value) in keywords where names.contains(name) {
      readKeywords.insert(name)
      return value.nonNull
    }
    return nil
  }

  /// Refuses arguments that nobody has read and that could change the result.
  func checkAllRead() throws(KerasError) {
    for index in positional.indices where !readPositions.contains(index) {
      guard positional[index].isNothing else {
        throw KerasError(.unsupported, "is called with an argument \(index) that is not supported")
      }
    }
    for (name, value) in keywords where !readKeywords.contains(name) {
      // `name` is a label; not to train is what inference does.
      if name == "name" || (name == "training" && !value.isTrue) || value.isNothing { continue }
      if name == "training" {
        throw KerasError(.unsupported, "is called with training=True, so that it would train at inference")
      }
      throw KerasError(.unsupported, "is called with '\(name)', which is not supported")
    }
  }

  /// The operands of a submodel, in the order of its inputs.
  func inputs(of model: ModelConfig) throws(KerasError) -> [ValueID] {
    let first = argument(0, "inputs") ?? .list([])
    defer { readPositions.insert(0) }
    if case .dictionary(let members) = first {
      let names = model.inputKeys ?? model.inputs.map { model.layers[$0.layer].name }
      let byName = Dictionary(members.map { ($0.name, $0.value) }) { _, last in last }
      var values: [ValueID] = []
      for name in names {
        guard case .value(let value)? = byName[name] else {
          throw KerasError(.invalid, "is called without the input '\(name)'")
        }
        values.append(value)
      }
      try checkAllRead()
      return values
    }
    let values = first.values
    try checkAllRead()
    return values
  }
}

extension Operands.Operand {
  init(
    _ argument: Argument, _ value: (TensorReference) throws(KerasError) -> ValueID
  ) throws(KerasError) {
    switch argument {
    case .tensor(let reference): self = .value(try value(reference))
    case .value(let json): self = .constant(json)
    case .list(let elements):
      var operands: [Self] = []
      for element in elements { operands.append(try Self(element, value)) }
      self = .list(operands)
    case .dictionary(let members):
      var operands: [(name: String, value: Self)] = []
      for (name, member) in members { operands.append((name, try Self(member, value))) }
      self = .dictionary(operands)
    }
  }

  /// All tensors, in order.
  var values: [ValueID] {
    switch self {
    case .value(let value): [value]
    case .constant: []
    case .list(let elements): elements.flatMap(\.values)
    case .dictionary(let members): members.sorted { $0.name < $1.name }.flatMap(\.value.values)
    }
  }

  /// As JSON, when it holds no tensor.
  var json: JSON? {
    switch self {
    case .value: return nil
    case .constant(let json): return json
    case .list(let elements):
      let values = elements.compactMap(\.json)
      return values.count == elements.count ? .array(values) : nil
    case .dictionary(let members):
      let values = members.compactMap { member in
        member.value.json.map { JSONObject.Member(name: member.name, value: $0) }
      }
      return values.count == members.count ? .object(JSONObject(values)) : nil
    }
  }

  var nonNull: Self? { if case .constant(.null) = self { nil } else { self } }

  /// Whether it is null, or a structure of nulls, such as the masks of several inputs that have none.
  fileprivate var isNothing: Bool {
    switch self {
    case .value: false
    case .constant(let json): json.isNull
    case .list(let elements): elements.allSatisfy(\.isNothing)
    case .dictionary(let members): members.allSatisfy(\.value.isNothing)
    }
  }

  fileprivate var isTrue: Bool {
    if case .constant(let json) = self {
      json != .bool(false) && json != .int(0) && json != .null
    } else {
      true
    }
  }
}
