import SepalGraph

/// Folds a product or sum with a constant per output channel into the convolution, transposed convolution or Gemm
/// before it. Batch normalisation of TensorFlow origin arrives as such a product and sum; biases of MatMul as a sum.
///
/// Before: y = Conv(x, W, b)·s + t     After: y = Conv(x, W·s, b·s + t)
/// Requires: s, t, W, b constant; s and t vary along the channel axis at most, and do not widen the result; the layer has no
/// activation and no residual; nothing else reads its result; the new weights are finite and normal.
/// Exactness: reassociated (one rounding per weight).
struct FoldScaleIntoConv: Pass {
  static let name = "fold-scale-into-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Mul || node.op is Add || node.op is ScaleShift else { return nil }
    func affine(_ layer: LinearLayer) -> ChannelAffine? {
      ChannelAffine(scaling: node, axis: layer.channelAxis, in: graph)
    }
    return graph.folding(node, intoProducer: Conv.self, affine)
      ?? graph.folding(node, intoProducer: ConvTranspose.self, affine)
      ?? graph.folding(node, intoProducer: Gemm.self, affine)
  }
}
