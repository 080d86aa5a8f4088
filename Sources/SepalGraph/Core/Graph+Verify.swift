import SepalTensor

extension Graph {
  /// States what a legal graph is. Linear in the graph.
  ///
  /// - every operand exists; producers and use lists agree in both directions
  /// - a value is exactly one of: input, constant, node output
  /// - operands satisfy the schema, and stored types are what the operator infers
  /// - no cycles; outputs exist and have distinct names; inputs have distinct names
  public func verify() throws(GraphError) {
    var uses: [ValueID: [NodeID: Int]] = [:]
    for node in nodes {
      try verify(node)
      for input in node.inputs {
        if let input { uses[input, default: [:]][node.id, default: 0] += 1 }
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
      guard value.uses == uses[value.id, default: [:]], value.outputUses == outputUses[value.id, default: 0],
        value.useCount == value.uses.values.reduce(value.outputUses, +)
      else { throw illegal("the use list of '\(value.name)' is stale") }
      if let constant = value.constant, constant.type != value.type {
        throw illegal("constant '\(value.name)' is \(constant.type), declared \(value.type)")
      }
    }
    try verifyAcyclic()
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

  private func verifyAcyclic() throws(GraphError) {
    var position: [NodeID: Int] = [:]
    let order = topologicalOrder()
    for (index, id) in order.enumerated() { position[id] = index }
    for (index, id) in order.enumerated() {
      for input in node(id).inputs {
        if let input, let producer = value(input).producer, position[producer, default: .max] >= index {
          throw GraphError(node: node(id).name, op: node(id).op.name, message: "is part of a cycle")
        }
      }
    }
  }

  private func illegal(_ message: String) -> GraphError {
    GraphError(node: name, op: "graph", message: message)
  }
}
