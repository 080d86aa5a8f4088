import SepalGraph

/// Folds a batch normalisation, product or sum per channel into the convolution, transposed convolution or Gemm after it.
///
/// Before: y = Conv(x·s + t, W, b)     After: y = Conv(x, W·s, b + ΣW·t),  s, t per input channel
/// Requires: all parameters constant; no residual; the normalisation has no activation, is read by this layer only and is not a graph
/// output; same channel axis; t zero unless the layer is a Gemm or a convolution without padding, because the zeros of
/// the padding are not shifted (and a transposed convolution's border sees fewer taps); new weights finite and normal.
/// Exactness: reassociated (one rounding per weight).
struct FoldBatchNormBeforeConv: Pass {
  static let name = "fold-batch-norm-before-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Conv || node.op is ConvTranspose || node.op is Gemm, let x = node.input(0),
      graph.useCount(of: x) == 1, let affineNode = graph.producer(of: x),
      let affineOp = affineNode.op as? any ActivatedOperator, affineOp.activation == .identity,
      let layer = LinearLayer(node, in: graph),
      let affine = affine(affineNode, axis: layer.channelAxis, in: graph),
      let parameters = layer.absorbing(affine)
    else { return nil }
    var rewrite = Rewrite(removing: [affineNode.id, node.id], exactness: .reassociated)
    let operands = parameters.operands(node, x: affineNode.input(0), in: graph, &rewrite)
    rewrite.replace(node.output, with: rewrite.node(layer.op, name: node.name, inputs: operands))
    return rewrite
  }

  private func affine(_ node: Node, axis: Int, in graph: Graph) -> ChannelAffine? {
    if let op = node.op(as: BatchNorm.self) {
      guard op.layout.channelAxis(rank: graph.type(of: node.output).rank) == axis else { return nil }
      return ChannelAffine(batchNorm: node, in: graph)
    }
    return ChannelAffine(scaling: node, axis: axis, in: graph)
  }
}
