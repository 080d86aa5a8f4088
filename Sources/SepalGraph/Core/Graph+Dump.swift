extension Graph: CustomStringConvertible {
  /// The graph as text, one line a value, in topological order:
  ///
  ///     input %x: float32[1x3x8x8]
  ///     constant %w: float32[4x3x3x3]
  ///     %y = Conv(%x, %w) {strides: [2,2], activation: relu} : float32[1x4x4x4]
  ///     output y = %y
  ///
  /// Attributes at their defaults are left out, `_` is an absent operand.
  public var description: String {
    var lines = inputs.map { "input %\(value($0).name): \(type(of: $0))" }
    let order = nodes
    var seen: Set<ValueID> = []
    for node in order {
      for input in node.inputs {
        if let input, value(input).isConstant, seen.insert(input).inserted {
          lines.append("constant %\(value(input).name): \(type(of: input))")
        }
      }
    }
    lines += order.map(dump)
    lines += outputs.map { "output \($0.name) = %\(value($0.value).name)" }
    return lines.joined(separator: "\n")
  }

  private func dump(_ node: Node) -> String {
    let results = node.outputs.map { "%\(value($0).name)" }.joined(separator: ", ")
    let operands = node.inputs.map { input in input.map { "%\(value($0).name)" } ?? "_" }
    let attributes = node.op.nonDefaultAttributes.map { "\($0.name): \($0.value)" }
    let list = attributes.isEmpty ? "" : " {\(attributes.joined(separator: ", "))}"
    let types = node.outputs.map { "\(type(of: $0))" }.joined(separator: ", ")
    return "\(results) = \(node.op.name)(\(operands.joined(separator: ", ")))\(list) : \(types)"
  }
}
