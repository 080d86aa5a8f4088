import SepalGraph

/// Runs an operator that knows layouts on values in another one, with transposes around it.
struct LayoutChange {
  let target: Layout
  private var source: Layout { target == .channelsLast ? .channelsFirst : .channelsLast }

  init(to target: Layout) { self.target = target }

  /// Nil when `node` knows no layouts or has the right one. Operands of x's rank that are not parameters (x, a residual) are
  /// transposed; results of another rank (a pooled [N, C]) are the same in both layouts.
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let op = changed(node.op), let x = node.input(0) else { return nil }
    let rank = graph.type(of: x).rank
    let there = Permutation(
      target == .channelsLast ? Layout.toChannelsLast(rank: rank) : Layout.toChannelsFirst(rank: rank))
    let back = there.inverse
    let schema = type(of: node.op).schema
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    var transposed: [ValueID: Rewrite.Operand] = [:]
    let inputs = node.inputs.enumerated().map { index, input -> Rewrite.Operand? in
      guard let input else { return nil }
      guard graph.type(of: input).rank == rank, schema.input(at: index)?.isParameter == false else {
        return input.operand
      }
      if let known = transposed[input] { return known }
      let operand =
        graph.transposed(input, by: there)?.operand
        ?? rewrite.transposed(
          input.operand, shape: graph.type(of: input).shape, by: there,
          name: "\(graph.value(input).name).\(target.rawValue)")
      transposed[input] = operand
      return operand
    }
    let outputs = rewrite.nodes(
      op, name: node.name, inputs: inputs, outputCount: node.outputs.count,
      outputNames: node.outputs.map { "\(graph.value($0).name).\(target.rawValue)" })
    for (old, new) in zip(node.outputs, outputs) {
      let shape = graph.type(of: old).shape
      guard shape.count == rank, !back.isIdentity else {
        rewrite.replace(old, with: new)
        continue
      }
      rewrite.inheritOrigins(of: old, to: new, permutation: back.axes)
      let result = rewrite.transposed(
        new, shape: there.applied(to: shape), by: back, name: "\(node.name).\(source.rawValue)")
      rewrite.replace(old, with: result)
    }
    return rewrite
  }

  /// `op` with its layout changed; nil when it has none or has the right one already.
  private func changed(_ op: any Operator) -> (any Operator)? {
    guard let field = type(of: op).schema.attributes.first(where: { $0.name == "layout" }),
      field.get(op) == source.attributeValue
    else { return nil }
    return try? field.set(op, target.attributeValue)
  }
}
