import SepalGraph

/// Recognises SiLU, also known as swish, and Mish.
///
/// Before: y = x·Sigmoid(x)               After: y = Silu(x)
///         y = x·Tanh(Softplus(x))                y = Mish(x)
/// Requires: either operand order, no constant factor; nobody else reads the gate.
/// Exactness: reassociated.
struct RecognizeSilu: Pass {
  static let name = "recognize-silu"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Mul else { return nil }
    var arithmetic = ScalarArithmetic(graph)
    guard let product = arithmetic.product(node), product.factors.count == 2, product.coefficient == 1 else {
      return nil
    }
    let factors = product.factors
    for (x, gate) in [(factors[0], factors[1]), (factors[1], factors[0])] {
      var attempt = arithmetic
      if let sigmoid = attempt.producer(of: gate, as: Sigmoid.self), sigmoid.node.input(0) == x {
        return attempt.replacing(node, by: Silu(), on: x)
      }
      if let inner = attempt.producer(of: gate, as: Tanh.self)?.node.input(0),
        let softplus = attempt.producer(of: inner, as: Softplus.self), softplus.node.input(0) == x
      {
        return attempt.replacing(node, by: Mish(), on: x)
      }
    }
    return nil
  }
}
