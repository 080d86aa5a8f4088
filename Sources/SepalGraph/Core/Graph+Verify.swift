import SepalTensor

extension Graph {
  /// States what a legal graph is. Linear in the graph.
  ///
  /// - every operand exists; producers and use lists agree in both directions
  /// - a value is exactly one of: input, constant, node output; constants have their elements
  /// - operands satisfy the schema, and stored types are what the operator infers
  /// - no cycles; outputs exist and have distinct names; inputs have distinct names
  public func verify() throws(GraphError) {
    let order = topologicalOrder()
    // How many operand slots read each value.
    var reads = [Int](repeating: 0, count: endOfValueIDs)
    for id in order {
      let node = node(id)
      try verify(node)
      let counts = Dictionary(node.inputs.compactMap { $0.map { ($0, 1) } }, uniquingKeysWith: +)
      for (input, count) in counts {
        reads[input.index] += count
        guard uses(of: input, by: id) == count else {
          throw illegal("'\(value(input).name)' does not know all its readers")
        }
      }
    }
    let inputSet = Set(inputs)
    guard inputSet.count == inputs.count else { throw illegal("an input is listed twice") }
    var outputUses: [ValueID: Int] = [:]
    for output in outputs {
      guard contains(output.value) else { throw illegal("output '\(output.name)' reads a removed value") }
      outputUses[output.value, default: 0] += 1
    }
    guard Set(outputs.map(\.name)).count == outputs.count else { throw illegal("two outputs share a name") }
    guard Set(inputs.map { value($0).name }).count == inputs.count else {
      throw illegal("two inputs share a name")
    }
    for value in values {
      let kinds = [inputSet.contains(value.id), value.isConstant, value.producer != nil].count { $0 }
      guard kinds == 1 else { throw illegal("value '\(value.name)' has \(kinds) definitions") }
      guard value.uses.values.reduce(0, +) == reads[value.id.index],
        value.outputUses == outputUses[value.id, default: 0],
        value.useCount == reads[value.id.index] + value.outputUses
      else { throw illegal("the use list of '\(value.name)' is stale") }
      guard !value.isDiscarded else {
        throw illegal("the elements of constant '\(value.name)' were discarded")
      }
      if let constant = value.constant, constant.type != value.type {
        throw illegal("constant '\(value.name)' is \(constant.type), declared \(value.type)")
      }
    }
    try verifyAcyclic(order)
  }

  /// The part of `verify` that concerns one node.
  public func verify(_ node: Node) throws(GraphError) {
    for input in node.inputs {
      guard let input else { continue }
      guard contains(input) else {
        throw GraphError(node: node.name, op: node.op.name, message: "reads a removed value")
      }
    }
    do throws(OperatorError) {
      try Swift.type(of: node.op).schema.checkArity(node.inputs.map { $0 != nil })
      let inferred = try node.op.inferOutputs(inputTypes(of: node))
      let stored = node.outputs.map { type(of: $0) }
      guard inferred == stored else {
        throw OperatorError("infers \(inferred), stored \(stored)")
      }
    } catch {
      throw GraphError(node: node.name, op: node.op.name, message: error.message)
    }
  }

  private func verifyAcyclic(_ order: [NodeID]) throws(GraphError) {
    var isDone = [Bool](repeating: false, count: endOfNodeIDs)
    for id in order {
      let node = node(id)
      for case let input? in node.inputs {
        if let producer = value(input).producer, !isDone[producer.index] {
          throw GraphError(node: node.name, op: node.op.name, message: "is part of a cycle")
        }
      }
      isDone[id.index] = true
    }
  }

  private func illegal(_ message: String) -> GraphError {
    GraphError(node: name, op: "graph", message: message)
  }
}
