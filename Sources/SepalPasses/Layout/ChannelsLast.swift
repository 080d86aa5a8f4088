import SepalGraph

/// Runs every operator that knows layouts on channels-last values.
///
/// Before: y = Op(x, w, …) {layout: channelsFirst}
/// After:  y = Transpose(Op(Transpose(x), w, …) {layout: channelsLast}); 1-D, 2-D and 3-D alike
/// Requires: Op has a `layout`, now channelsFirst. Operands of x's rank that are not parameters (x, a residual) are
/// transposed; results of another rank (a pooled [N, C]) are the same in both layouts.
/// Exactness: exact. Other passes merge and move the transposes.
struct ChannelsLast: Pass {
  static let name = "channels-last"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let op = channelsLast(node.op), let x = node.input(0) else { return nil }
    let rank = graph.type(of: x).rank
    let toLast = Permutation(Layout.toChannelsLast(rank: rank))
    let toFirst = toLast.inverse
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
        graph.transposed(input, by: toLast)?.operand
        ?? rewrite.transposed(
          input.operand, shape: graph.type(of: input).shape, by: toLast,
          name: "\(graph.value(input).name).channelsLast")
      transposed[input] = operand
      return operand
    }
    let outputs = rewrite.nodes(
      op, name: node.name, inputs: inputs, outputCount: node.outputs.count,
      outputNames: node.outputs.map { "\(graph.value($0).name).channelsLast" })
    for (old, new) in zip(node.outputs, outputs) {
      let shape = graph.type(of: old).shape
      guard shape.count == rank, !toFirst.isIdentity else {
        rewrite.replace(old, with: new)
        continue
      }
      rewrite.inheritOrigins(of: old, to: new, permutation: toFirst.axes)
      let back = rewrite.transposed(
        new, shape: toLast.applied(to: shape), by: toFirst, name: "\(node.name).channelsFirst")
      rewrite.replace(old, with: back)
    }
    return rewrite
  }

  /// `op` with its layout changed; nil when it has none or is channels-last already.
  private func channelsLast(_ op: any Operator) -> (any Operator)? {
    guard let field = type(of: op).schema.attributes.first(where: { $0.name == "layout" }),
      field.get(op) == Layout.channelsFirst.attributeValue
    else { return nil }
    return try? field.set(op, Layout.channelsLast.attributeValue)
  }
}
