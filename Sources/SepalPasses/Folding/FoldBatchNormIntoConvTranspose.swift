import SepalGraph

/// Folds inference batch normalisation into the transposed convolution before it, grouped ones included.
///
/// Before: y = BN(ConvTranspose(x, W, b))     After: y = ConvTranspose(x, W·s, (b − μ)·s + β),  s = γ/√(σ² + ε)
/// Requires: as `FoldBatchNormIntoConv`.
/// Exactness: reassociated (one rounding per weight).
struct FoldBatchNormIntoConvTranspose: Pass {
  static let name = "fold-batch-norm-into-conv-transpose"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    graph.foldingBatchNorm(node, intoProducer: ConvTranspose.self)
  }
}
