import SepalGraph

/// Makes an activation the last step of the operator before it.
///
/// Before: y = act(Op(x, …))     After: y = Op(x, …) {activation: act}
/// Requires: Op carries an activation, and act can follow it as one activation (limits merge, the identity always);
/// nothing else reads Op's result; floating point, because operators ignore the activation on integers.
/// Exactness: exact.
struct FuseActivation: Pass {
  static let name = "fuse-activation"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let activation = (node.op as? any ActivationOperator)?.asActivation, let x = node.input(0),
      graph.useCount(of: x) == 1, graph.type(of: x).element.isFloat,
      let producer = graph.producer(of: x), var op = producer.op as? any ActivatedOperator,
      let composed = activation.composed(after: op.activation)
    else { return nil }
    op.activation = composed
    var rewrite = Rewrite(removing: [producer.id, node.id], exactness: .exact)
    rewrite.replace(
      node.output,
      with: rewrite.node(op, name: producer.name, inputs: producer.inputs.map { $0?.operand }))
    return rewrite
  }
}
