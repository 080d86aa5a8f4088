import SepalGraph
import SepalTensor

/// Drops biases that add nothing.
///
/// Before: y = Op(x, W, 0)     After: y = Op(x, W)
/// Requires: Op is a convolution, transposed convolution, Gemm or squeeze-excite; all of the bias is constant zeros.
/// Exactness: reassociated, because adding 0 turns −0 into 0.
struct EliminateZeroBias: Pass {
  static let name = "eliminate-zero-bias"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    let zeros = biases(of: node.op).filter { graph.constant(node.input($0))?.uniformValue == 0 }
    guard !zeros.isEmpty else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: .reassociated)
    let inputs = node.inputs.enumerated().map { zeros.contains($0) ? nil : $1?.operand }
    rewrite.replace(node.output, with: rewrite.node(node.op, name: node.name, inputs: inputs))
    return rewrite
  }

  /// The operands that are added per channel.
  private func biases(of op: any Operator) -> [Int] {
    switch op {
    case is Conv, is ConvTranspose, is Gemm: [2]
    case is SqueezeExcite: [2, 4]
    default: []
    }
  }
}
