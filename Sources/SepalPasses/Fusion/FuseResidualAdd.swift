import SepalGraph

/// Adds a shortcut inside the convolution that it joins.
///
/// Before: y = act(Conv(x, W, b) + r)     After: y = Conv(x, W, b, r) {activation: act}
/// Requires: the convolution has neither activation nor residual yet, nothing else reads its result, and both terms have
/// the result's shape. r cannot depend on the convolution, whose only reader is this addition, so no cycle arises
/// whichever operand is chosen: the later one where both are convolutions, because it finds the other one finished.
/// Exactness: reassociated (the sum may be formed in another order).
struct FuseResidualAdd: Pass {
  static let name = "fuse-residual-add"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let add = node.op(as: Add.self), let a = node.input(0), let b = node.input(1) else { return nil }
    let candidates = [(term: a, residual: b), (term: b, residual: a)].compactMap { term, residual in
      fusable(term, residual, output: node.output, in: graph).map { (conv: $0, residual: residual) }
    }
    guard let (conv, residual) = candidates.max(by: { $0.conv.id < $1.conv.id }),
      var op = conv.op(as: Conv.self)
    else { return nil }
    op.activation = add.activation
    var rewrite = Rewrite(removing: [conv.id, node.id], exactness: .reassociated)
    let inputs = [conv.input(0)?.operand, conv.input(1)?.operand, conv.input(2)?.operand, residual.operand]
    rewrite.replace(node.output, with: rewrite.node(op, name: conv.name, inputs: inputs))
    return rewrite
  }

  private func fusable(_ term: ValueID, _ residual: ValueID, output: ValueID, in graph: Graph) -> Node? {
    guard let (conv, op) = graph.soleProducer(of: term, as: Conv.self), op.activation == .identity,
      conv.input(3) == nil, graph.type(of: term) == graph.type(of: output),
      graph.type(of: residual) == graph.type(of: output)
    else { return nil }
    return conv
  }
}
