import SepalGraph

/// Recognises a hard sigmoid in pieces: Add 3, Clip to 0…6, Div 6; Keras 2's clip(0.2·x + 0.5, 0, 1).
///
/// Before: y = c·Clip(a·x + b) {min: 0, max: h}     After: y = HardSigmoid(x) {alpha: a·c, beta: b·c}
/// Requires: a, b, c single numbers, in any order and association; c·h = 1 within rounding, so not tf-slim's 0.16667;
/// more than the Clip alone; nobody else reads what is in between.
/// Exactness: reassociated.
struct RecognizeHardSigmoid: Pass {
  static let name = "recognize-hard-sigmoid"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Mul || node.op is Div || node.op is Clip else { return nil }
    var arithmetic = ScalarArithmetic(graph)
    var (coefficient, clamped) = (1.0, node.output)
    if !(node.op is Clip) {
      guard let product = arithmetic.product(node), product.factors.count == 1 else { return nil }
      (coefficient, clamped) = (product.coefficient, product.factors[0])
    }
    guard let (clipNode, clip) = arithmetic.producer(of: clamped, as: Clip.self),
      let input = clipNode.input(0)
    else { return nil }
    let affine = arithmetic.affine(input)
    guard arithmetic.nodes.count > 1, clip.min == 0, (coefficient * clip.max).isRounding(of: 1) else {
      return nil
    }
    let op = HardSigmoid(
      alpha: (coefficient * affine.scale).snapped(to: 1.0 / 6),
      beta: (coefficient * affine.shift).snapped(to: 0.5))
    return arithmetic.replacing(node, by: op, on: affine.x)
  }
}

extension Double {
  /// `exact` when this is a rounding of it.
  fileprivate func snapped(to exact: Double) -> Double { isRounding(of: exact) ? exact : self }
}
