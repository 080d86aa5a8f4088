import SepalGraph

/// Recognises GELU, by the error function and in its tanh approximation.
///
/// Before: y = x·½·(1 + Erf(x/√2))                          After: y = Gelu(x)
///         y = x·½·(1 + Tanh(√(2/π)·(x + 0.044715·x³)))            y = Gelu(x) {approximate: 1}
/// Requires: the constants are single numbers equal to these within rounding, in any order and association, the cube
/// as Pow or as products; nobody else reads what is in between.
/// Exactness: reassociated.
struct RecognizeGelu: Pass {
  static let name = "recognize-gelu"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Mul || node.op is Div else { return nil }
    var arithmetic = ScalarArithmetic(graph)
    guard let product = arithmetic.product(node), product.factors.count == 2 else { return nil }
    let factors = product.factors
    for (x, gate) in [(factors[0], factors[1]), (factors[1], factors[0])] {
      var attempt = arithmetic
      let affine = attempt.affine(gate)
      guard (product.coefficient * affine.scale).isRounding(of: 0.5),
        (product.coefficient * affine.shift).isRounding(of: 0.5)
      else { continue }
      if let op = gelu(affine.x, of: x, &attempt) { return attempt.replacing(node, by: op, on: x) }
    }
    return nil
  }

  private func gelu(_ value: ValueID, of x: ValueID, _ arithmetic: inout ScalarArithmetic) -> Gelu? {
    if let argument = arithmetic.producer(of: value, as: Erf.self)?.node.input(0) {
      guard let line = arithmetic.polynomial(argument, in: x), line.count == 2, line[0] == 0,
        line[1].isRounding(of: 0.5.squareRoot())
      else { return nil }
      return Gelu()
    }
    let slope = (2 / Double.pi).squareRoot()
    guard let argument = arithmetic.producer(of: value, as: Tanh.self)?.node.input(0),
      let cubic = arithmetic.polynomial(argument, in: x), cubic.count == 4, cubic[0] == 0, cubic[2] == 0,
      cubic[1].isRounding(of: slope), cubic[3].isRounding(of: slope * 0.044715)
    else { return nil }
    return Gelu(approximate: true)
  }
}
