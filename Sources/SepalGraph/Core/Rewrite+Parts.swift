import SepalTensor

/// What a rewrite consists of, for those who check it.
extension Rewrite {
  /// What a rewrite makes, in the order in which it can be made.
  package enum NewValue: Sendable {
    case constant(value: Int, name: String, tensor: Tensor)
    case node(op: any Operator, name: String, inputs: [Operand?], values: [Int])
  }

  package var newValues: [NewValue] {
    let constants = constantValues
    return steps.enumerated().compactMap { index, step in
      switch step {
      case .constant(let name, let tensor):
        constants[index].map { .constant(value: $0, name: name, tensor: tensor) }
      case .node(let op, let name, let inputs, let outputs, _):
        .node(op: op, name: name, inputs: inputs, values: outputs)
      }
    }
  }

  package var removedNodes: [NodeID] { removed }

  /// Values of the graph that what is new reads or that stand for others.
  package var existingOperands: [ValueID] {
    var operands = replacements.map(\.new)
    for case .node(_, _, let inputs, _, _) in steps { operands += inputs.compactMap { $0 } }
    return operands.compactMap { operand in
      if case .existing(let id) = operand { id } else { nil }
    }
  }

  /// `name (Op)` of the nodes that go and of those that come.
  package func summary(in graph: Graph) -> (before: [String], after: [String]) {
    let before = removed.map { graph.node($0) }.map { "\($0.name) (\($0.op.name))" }
    let after = steps.compactMap { step -> String? in
      if case .node(let op, let name, _, _, _) = step { "\(name) (\(op.name))" } else { nil }
    }
    return (before, after)
  }
}
