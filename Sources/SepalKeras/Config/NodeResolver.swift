/// An inbound node as it is written: references still by name.
struct NodeData {
  var positional: [RawArgument] = []
  var keywords: [(name: String, value: RawArgument)] = []
  var isLegacy: Bool
}

/// A reference as it is written. Where numbering starts depends on the layer.
struct RawReference: Hashable {
  var layer: String
  var node: Int
  var output: Int
}

indirect enum RawArgument {
  case tensor(RawReference)
  case value(JSON)
  case list([RawArgument])
  case dictionary([(name: String, value: RawArgument)])

  var references: [RawReference] {
    switch self {
    case .tensor(let reference): [reference]
    case .value: []
    case .list(let elements): elements.flatMap(\.references)
    case .dictionary(let members): members.flatMap(\.value.references)
    }
  }
}

/// Reads the inbound nodes of one Functional model and resolves what they refer to.
///
/// A submodel that was made from an input has a node of its own before it is called, so the numbers of its calls start
/// at one: always in Keras 2, and in Keras 3 only where a model's inputs and outputs are listed.
struct NodeResolver {
  let path: String
  /// Layers by name.
  var indices: [String: Int] = [:]
  private var callCounts: [Int] = []
  /// What to take off node numbers, by layer: in inbound nodes, and in the lists of inputs and outputs.
  private var offsets: [Int] = []
  private var borderOffsets: [Int] = []

  init(path: String) { self.path = path }

  private func invalid(_ message: String) -> KerasError {
    KerasError(.invalid, message, layer: path.isEmpty ? nil : path)
  }

  mutating func countCalls(_ layers: [LayerConfig], _ nodes: [[NodeData]]) {
    callCounts = layers.indices.map { max(nodes[$0].count, 1) }
  }

  // MARK: Reading

  func node(_ json: JSON) throws(KerasError) -> NodeData {
    switch json {
    case .object(let object):
      guard let args = object["args"]?.array, let kwargs = object["kwargs"]?.object else {
        // `{"left": ["name", 0, 0, {…}], …}`, as Keras 2 calls with a dictionary.
        var keywords: [JSONObject.Member] = []
        return NodeData(positional: [try legacy(json, keywords: &keywords)], isLegacy: true)
      }
      var data = NodeData(isLegacy: false)
      for argument in args { data.positional.append(try modern(argument)) }
      for member in kwargs.members { data.keywords.append((member.name, try modern(member.value))) }
      return data
    case .array(let elements):
      var data = NodeData(isLegacy: true)
      var keywords: [JSONObject.Member] = []
      // `["name", 0, 0, {…}]`, or a list of such, which is a single operand where it has one element.
      var first = try legacy(json, keywords: &keywords)
      if case .list(let operands) = first, operands.count == 1, elements.first?.array != nil {
        first = operands[0]
      }
      data.positional = [first]
      for member in keywords { data.keywords.append((member.name, legacyKeyword(member.value))) }
      return data
    default: throw invalid("holds \(json.kind), expected calls")
    }
  }

  /// An argument of Keras 3: JSON in which some objects stand for tensors, tuples and the like.
  private func modern(_ json: JSON) throws(KerasError) -> RawArgument {
    switch json {
    case .array(let elements):
      var arguments: [RawArgument] = []
      for element in elements { arguments.append(try modern(element)) }
      return .list(arguments)
    case .object(let object):
      switch object["class_name"]?.string {
      case "__keras_tensor__":
        guard let history = object["config"]?.object?["keras_history"]?.array,
          let reference = RawReference(history)
        else { throw invalid("has a tensor without a keras_history") }
        return .tensor(reference)
      case "__tuple__": return try modern(.array(object["items"]?.array ?? object["config"]?.array ?? []))
      case nil:
        var members: [(name: String, value: RawArgument)] = []
        for member in object.members { members.append((member.name, try modern(member.value))) }
        return .dictionary(members)
      default: return .value(json)
      }
    default: return .value(json)
    }
  }

  /// First operands of Keras 1 and 2. The keywords of the call are written behind each of them.
  private func legacy(_ json: JSON, keywords: inout [JSONObject.Member]) throws(KerasError) -> RawArgument {
    if let object = json.object {
      var members: [(name: String, value: RawArgument)] = []
      for member in object.members {
        members.append((member.name, try legacy(member.value, keywords: &keywords)))
      }
      return .dictionary(members)
    }
    guard let list = json.array else { throw invalid("holds \(json.kind), expected references to layers") }
    guard let name = list.first?.string else {
      var arguments: [RawArgument] = []
      for element in list { arguments.append(try legacy(element, keywords: &keywords)) }
      return .list(arguments)
    }
    if list.count > 3, let object = list[3].object, keywords.isEmpty { keywords = object.members }
    if name == "_CONSTANT_VALUE", list.count >= 3 { return .value(list[2]) }
    guard list.count >= 3, let reference = RawReference(Array(list.prefix(3))) else {
      throw invalid("refers to '\(name)' without two numbers")
    }
    return .tensor(reference)
  }

  /// Keras 2 writes a tensor among the keywords as `["layer", node, tensor]`.
  private func legacyKeyword(_ json: JSON) -> RawArgument {
    switch json {
    case .array(let list):
      if list.count == 3, let reference = RawReference(list), indices[reference.layer] != nil {
        return .tensor(reference)
      }
      // Lists of plain values stay what they are.
      let elements = list.map(legacyKeyword)
      return elements.contains { !$0.references.isEmpty } ? .list(elements) : .value(json)
    default: return .value(json)
    }
  }

  /// The references of `input_layers` or `output_layers`: one, a list of them, or a dictionary; sorted by key.
  func leaves(_ json: JSON, _ field: String) throws(KerasError) -> [(key: String?, reference: RawReference)] {
    if let list = json.array {
      if let reference = RawReference(list) { return [(nil, reference)] }
      var leaves: [(key: String?, reference: RawReference)] = []
      for element in list { leaves += try self.leaves(element, field) }
      return leaves
    }
    guard let object = json.object else { throw invalid("has \(json.kind) for \(field), expected a list") }
    if object["class_name"]?.string == "__tuple__" {
      return try leaves(object["items"] ?? .null, field)
    }
    var leaves: [(key: String?, reference: RawReference)] = []
    for member in object.members.sorted(by: { $0.name < $1.name }) {
      let inner = try self.leaves(member.value, field)
      leaves += inner.map { (inner.count == 1 ? member.name : nil, $0.reference) }
    }
    return leaves
  }

  // MARK: Resolving

  mutating func findOffsets(
    _ layers: [LayerConfig], _ nodes: [[NodeData]], borders: [(key: String?, reference: RawReference)],
    isLegacy: Bool
  ) {
    offsets = [Int](repeating: 0, count: layers.count)
    borderOffsets = offsets
    if isLegacy {
      // Every call of a submodel is referred to, so the smallest number tells where its numbers start.
      var smallest: [Int: Int] = [:]
      let inner = nodes.joined().flatMap { data in
        (data.positional + data.keywords.map(\.value)).flatMap(\.references)
      }
      for reference in inner + borders.map(\.reference) {
        guard let index = indices[reference.layer], layers[index].submodel != nil else { continue }
        smallest[index] = min(smallest[index] ?? reference.node, reference.node)
      }
      for (index, node) in smallest { offsets[index] = min(max(node, 0), 1) }
      borderOffsets = offsets
    } else {
      for (index, layer) in layers.enumerated() {
        if let submodel = layer.submodel, submodel.className != "Sequential" { borderOffsets[index] = 1 }
      }
    }
  }

  func reference(_ raw: RawReference, isBorder: Bool = false) throws(KerasError) -> TensorReference {
    guard let layer = indices[raw.layer] else {
      throw invalid("refers to the layer '\(raw.layer)', which the model does not have")
    }
    let call = raw.node - (isBorder ? borderOffsets : offsets)[layer]
    guard call >= 0, call < callCounts[layer], raw.output >= 0, raw.output < 1 << 16 else {
      throw invalid(
        "refers to call \(raw.node), output \(raw.output) of the layer '\(raw.layer)', which has "
          + "\(callCounts[layer]) call\(callCounts[layer] == 1 ? "" : "s")")
    }
    return TensorReference(layer: layer, call: call, output: raw.output)
  }

  func call(_ data: NodeData) throws(KerasError) -> Call {
    var call = Call()
    for argument in data.positional { call.positional.append(try resolved(argument)) }
    for (name, value) in data.keywords { call.keywords.append((name, try resolved(value))) }
    return call
  }

  private func resolved(_ argument: RawArgument) throws(KerasError) -> Argument {
    switch argument {
    case .tensor(let raw): return .tensor(try reference(raw))
    case .value(let json): return .value(json)
    case .list(let elements):
      var arguments: [Argument] = []
      for element in elements { arguments.append(try resolved(element)) }
      return .list(arguments)
    case .dictionary(let members):
      var arguments: [(name: String, value: Argument)] = []
      for (name, value) in members { arguments.append((name, try resolved(value))) }
      return .dictionary(arguments)
    }
  }
}

extension RawReference {
  /// From `["layer", node, tensor]`.
  init?(_ list: [JSON]) {
    guard list.count == 3, case .string(let layer) = list[0], case .int(let node) = list[1],
      case .int(let output) = list[2]
    else { return nil }
    self.init(layer: layer, node: node, output: output)
  }
}
