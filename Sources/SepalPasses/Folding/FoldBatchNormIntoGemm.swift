import SepalGraph

/// Folds inference batch normalisation into the dense layer before it.
///
/// Before: y = BN(x·W + b)     After: y = x·(W·s) + (b − μ)·s + β,  s = γ/√(σ² + ε) per column
/// Requires: as `FoldBatchNormIntoConv`; b constant per column; alpha = beta = 1 and transA false, which
/// `CanonicalizeGemm` sees to.
/// Exactness: reassociated (one rounding per weight).
struct FoldBatchNormIntoGemm: Pass {
  static let name = "fold-batch-norm-into-gemm"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    graph.foldingBatchNorm(node, intoProducer: Gemm.self)
  }
}
