import SepalGraph
import SepalTensor

/// Reduces Gemm to a·b + c. b stays as the source stores it: transB is free, since weights are packed at load.
///
/// Before: y = α·aᵀ·b + β·c     After: y = Transpose(a)·(α·b) + (β·c), without c when β = 0
/// Requires: b constant where α ≠ 1, c constant or absent where β ≠ 1; products finite.
/// Exactness: exact for the transposition, else reassociated (one rounding per weight).
struct CanonicalizeGemm: Pass {
  static let name = "canonicalize-gemm"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard var gemm = node.op(as: Gemm.self), let a = node.input(0) else { return nil }
    let isScaled = gemm.alpha != 1 || gemm.beta != 1
    guard isScaled || gemm.transA else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: isScaled ? .reassociated : .exact)
    var operands = [a.operand, node.input(1)?.operand, node.input(2)?.operand]
    var changed = false
    if gemm.transA {
      operands[0] = rewrite.node(
        Transpose(permutation: [1, 0]), name: "\(node.name).transposed", inputs: [a.operand])
      gemm.transA = false
      changed = true
    }
    if gemm.alpha != 1, let b = scaled(node.input(1), by: gemm.alpha, in: graph) {
      operands[1] = rewrite.constant(b.name, b.tensor)
      gemm.alpha = 1
      changed = true
    }
    if gemm.beta != 1 {
      if node.input(2) == nil || gemm.beta == 0 {
        operands[2] = nil
        gemm.beta = 1
        changed = true
      } else if let c = scaled(node.input(2), by: gemm.beta, in: graph) {
        operands[2] = rewrite.constant(c.name, c.tensor)
        gemm.beta = 1
        changed = true
      }
    }
    guard changed else { return nil }
    rewrite.replace(node.output, with: rewrite.node(gemm, name: node.name, inputs: operands))
    return rewrite
  }

  private func scaled(
    _ id: ValueID?, by factor: Double, in graph: Graph
  ) -> (name: String, tensor: Tensor)? {
    guard let id, let tensor = graph.constant(id) else { return nil }
    let values = tensor.doubles().map { $0 * factor }
    let largest = tensor.element.magnitudes.upperBound
    guard values.allSatisfy({ abs($0) <= largest }) else { return nil }
    return (graph.value(id).name, Tensor(tensor.element, tensor.shape, doubles: values))
  }
}
