import SepalGraph

/// Folds inference batch normalisation into the convolution before it, grouped and depthwise ones included.
///
/// Before: y = BN(Conv(x, W, b))     After: y = Conv(x, W·s, (b − μ)·s + β),  s = γ/√(σ² + ε) per output channel
/// Requires: BN and convolution parameters constant, σ² + ε > 0; same channel axis; the convolution has no activation and
/// no residual; nothing else reads its result, which is not a graph output; the new weights are finite and normal.
/// Exactness: reassociated (one rounding per weight).
struct FoldBatchNormIntoConv: Pass {
  static let name = "fold-batch-norm-into-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    graph.foldingBatchNorm(node, intoProducer: Conv.self)
  }
}

extension Graph {
  /// The rewrite that folds a batch normalisation into the `Layer` that computes its operand.
  func foldingBatchNorm<Layer: ActivatedOperator>(_ node: Node, intoProducer type: Layer.Type) -> Rewrite? {
    guard let batchNorm = node.op(as: BatchNorm.self) else { return nil }
    let axis = batchNorm.layout.channelAxis(rank: self.type(of: node.output).rank)
    return folding(node, intoProducer: type) { layer in
      layer.channelAxis == axis ? ChannelAffine(batchNorm: node, in: self) : nil
    }
  }
}
