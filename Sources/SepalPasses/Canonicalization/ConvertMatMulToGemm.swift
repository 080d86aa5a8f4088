import SepalGraph

/// Makes a product with constant weights a dense layer, into which bias, scale and activation can be folded.
///
/// Before: y = MatMul(x, W)     After: y = Gemm(x, W)
/// Requires: x of rank 2, W constant of rank 2, floating point.
/// Exactness: exact.
struct ConvertMatMulToGemm: Pass {
  static let name = "convert-mat-mul-to-gemm"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is MatMul, let x = node.input(0), let weight = node.input(1),
      graph.type(of: x).rank == 2, graph.type(of: x).element.isFloat,
      graph.constant(weight)?.type.rank == 2
    else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    rewrite.replace(
      node.output, with: rewrite.node(Gemm(), name: node.name, inputs: [x.operand, weight.operand]))
    return rewrite
  }
}
