import SepalGraph

/// A number per value that depends on how it is computed from the graph's inputs, and on nothing else: values of
/// two graphs with the same operators, attributes and types of constants above them have the same one.
///
/// Numbers among attributes are left out, because they may differ by rounding. Good for one run of a process.
struct StructureHashes {
  private var byValue: [ValueID: Int] = [:]

  subscript(id: ValueID) -> Int { byValue[id] ?? 0 }

  init(_ graph: Graph) {
    for (index, input) in graph.inputs.enumerated() {
      byValue[input] = Self.hash { $0.combine(index) }
    }
    for node in graph.nodes {
      var operands = node.inputs.map { input in input.map { operandHash($0, in: graph) } ?? 0 }
      if node.op.isCommutative { operands.sort() }
      let whole = Self.hash { hasher in
        hasher.combine(node.op.name)
        for (_, value) in node.op.attributes { hasher.combine(value.words) }
        hasher.combine(operands)
      }
      for (index, output) in node.outputs.enumerated() {
        byValue[output] = index == 0 ? whole : Self.hash { $0.combine([whole, index]) }
      }
    }
  }

  private func operandHash(_ id: ValueID, in graph: Graph) -> Int {
    guard graph.value(id).isConstant else { return self[id] }
    return Self.hash { $0.combine(graph.type(of: id)) }
  }

  private static func hash(_ combine: (inout Hasher) -> Void) -> Int {
    var hasher = Hasher()
    combine(&hasher)
    return hasher.finalize()
  }
}

extension Operator {
  /// Whether its operands may change places.
  var isCommutative: Bool {
    self is Add || self is Mul || self is Max || self is Min || self is And || self is Or || self is Xor
      || self is Equal
  }

  /// What tells `other`, of the same type, from this operator: `'strides' is [2,2] and [1,1]`.
  func attributeDifferences(from other: any Operator) -> [String] {
    zip(attributes, other.attributes).compactMap { mine, theirs in
      mine.value.isClose(to: theirs.value) ? nil : "'\(mine.name)' is \(mine.value) and \(theirs.value)"
    }
  }
}

extension AttributeValue {
  /// Everything about it but its floating-point numbers.
  fileprivate var words: [String] {
    switch self {
    case .int, .ints: [description]
    case .float: []
    case .floats(let values): ["\(values.count)"]
    case .string(let text): [Activation(attributeValue: self)?.parts.name ?? text]
    }
  }

  private var numbers: [Double] {
    switch self {
    case .int, .ints: []
    case .float(let value): [value]
    case .floats(let values): values
    case .string: Activation(attributeValue: self)?.parts.parameters ?? []
    }
  }

  /// Equal up to the rounding of numbers to single precision.
  fileprivate func isClose(to other: AttributeValue) -> Bool {
    words == other.words
      && zip(numbers, other.numbers).allSatisfy { x, y in
        x == y || (x - y).magnitude <= 1e-6 * max(x.magnitude, y.magnitude)
      }
  }
}
