import SepalGraph

extension Graph {
  /// The rewrite that puts `affine`, which `node` applies to its first operand, into the weights of the `Layer` that
  /// computes this operand. The new layer takes over the activation of `node`.
  ///
  /// Requires: the layer's weights are constant, it has no activation or residual, and nothing else reads its result.
  func folding<Layer: ActivatedOperator>(
    _ node: Node, intoProducer type: Layer.Type, _ affine: (LinearLayer) -> ChannelAffine?
  ) -> Rewrite? {
    guard let (producer, op) = soleProducer(of: node.input(0), as: type), op.activation == .identity,
      let layer = LinearLayer(producer, in: self), let affine = affine(layer),
      let parameters = layer.applying(affine)
    else { return nil }
    var folded = op
    folded.activation = (node.op as? any ActivatedOperator)?.activation ?? .identity
    var rewrite = Rewrite(removing: [producer.id, node.id], exactness: .reassociated)
    let operands = parameters.operands(producer, x: producer.input(0), in: self, &rewrite)
    rewrite.replace(node.output, with: rewrite.node(folded, name: producer.name, inputs: operands))
    return rewrite
  }
}
