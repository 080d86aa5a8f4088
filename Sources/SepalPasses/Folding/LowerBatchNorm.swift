import SepalGraph
import SepalTensor

/// Computes the scale and shift of a batch normalisation that found nothing to fold into.
///
/// Before: y = BN(x)     After: y = ScaleShift(x, s, β − μ·s),  s = γ/√(σ² + ε)
/// Requires: parameters constant, σ² + ε > 0; scale and shift finite.
/// Exactness: reassociated (one rounding per parameter).
struct LowerBatchNorm: Pass {
  static let name = "lower-batch-norm"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let op = node.op(as: BatchNorm.self), let x = node.input(0),
      let affine = ChannelAffine(batchNorm: node, in: graph)
    else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: .reassociated)
    guard
      let operands = affine.scaleShiftOperands(
        element: graph.type(of: x).element, name: node.name, in: &rewrite)
    else { return nil }
    let scaleShift = ScaleShift(layout: op.layout, activation: op.activation)
    rewrite.replace(
      node.output, with: rewrite.node(scaleShift, name: node.name, inputs: [x.operand] + operands))
    return rewrite
  }
}

extension ChannelAffine {
  /// Constants for a `ScaleShift`'s scale and shift (nil where there is none); nil altogether when one is not finite.
  func scaleShiftOperands(
    element: ElementType, name: String, in rewrite: inout Rewrite
  ) -> [Rewrite.Operand?]? {
    let largest = element.magnitudes.upperBound
    guard let count = (scale ?? shift)?.count,
      ((scale ?? []) + (shift ?? [])).allSatisfy({ abs($0) <= largest })
    else { return nil }
    let scale = scale ?? Array(repeating: 1, count: count)
    var operands: [Rewrite.Operand?] = []
    operands.append(rewrite.constant("\(name).scale", Tensor(element, [count], doubles: scale)))
    if let shift {
      operands.append(rewrite.constant("\(name).shift", Tensor(element, [count], doubles: shift)))
    }
    return operands
  }
}
