import SepalGraph

/// Recognises a hard swish in all its spellings.
///
/// Before: y = x·HardSigmoid(x) {alpha: 1/6, beta: 1/2}
///         y = x·Clip(x + 3) {min: 0, max: 6}·(1/6), the constant on either factor, multiplied or divided by
/// After:  y = HardSwish(x)
/// Requires: the constants are single numbers equal to these within rounding (neither HardSigmoid's default slope of 0.2
/// nor tf-slim's 0.16667 is); nobody else reads what is in between.
/// Exactness: reassociated.
struct RecognizeHardSwish: Pass {
  static let name = "recognize-hard-swish"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Mul || node.op is Div else { return nil }
    var arithmetic = ScalarArithmetic(graph)
    guard let product = arithmetic.product(node), product.factors.count == 2 else { return nil }
    let factors = product.factors
    for (x, gate) in [(factors[0], factors[1]), (factors[1], factors[0])] {
      var attempt = arithmetic
      if isGate(gate, of: x, times: product.coefficient, &attempt) {
        return attempt.replacing(node, by: HardSwish(), on: x)
      }
    }
    return nil
  }

  /// Whether coefficient·gate is min(max(x/6 + 1/2, 0), 1).
  private func isGate(
    _ gate: ValueID, of x: ValueID, times coefficient: Double, _ arithmetic: inout ScalarArithmetic
  ) -> Bool {
    if let (node, op) = arithmetic.producer(of: gate, as: HardSigmoid.self) {
      return node.input(0) == x && coefficient.isRounding(of: 1) && op.alpha.isRounding(of: 1.0 / 6)
        && op.beta.isRounding(of: 0.5)
    }
    guard let (node, clip) = arithmetic.producer(of: gate, as: Clip.self), let input = node.input(0) else {
      return false
    }
    let affine = arithmetic.affine(input, endingAt: x)
    return affine.x == x && clip.min == 0 && (coefficient * clip.max).isRounding(of: 1)
      && (coefficient * affine.scale).isRounding(of: 1.0 / 6)
      && (coefficient * affine.shift).isRounding(of: 0.5)
  }
}
