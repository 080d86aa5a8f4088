import SepalGraph
import SepalTensor

/// Gives every spelling of a clamp one form: a single Clip, or Relu where that is what it is.
///
/// Before: Min(x, b), Max(x, a) in any operand order; Clip or Relu over another clamp, such as Min(Relu(x), 6)
/// After:  y = Clip(x) {min, max}; Relu(x) for the bounds 0 and ∞
/// Requires: bounds are single floating-point numbers; x's type is the result's; the inner clamp has no other reader.
/// Exactness: exact (as numbers: the sign of a zero may differ).
struct RecognizeClip: Pass {
  static let name = "recognize-clip"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard var clamp = Clamp(node, in: graph) else { return nil }
    var removed = [node.id]
    if graph.value(clamp.x).useCount == 1, let producer = graph.producer(of: clamp.x),
      let inner = Clamp(producer, in: graph)
    {
      clamp = inner.followed(by: clamp)
      removed.append(producer.id)
    } else if node.op is Clip || node.op is Relu {
      return nil
    }
    guard graph.type(of: clamp.x) == graph.type(of: node.output) else { return nil }
    var rewrite = Rewrite(removing: removed, exactness: .exact)
    rewrite.replace(
      node.output, with: rewrite.node(clamp.op, name: node.name, inputs: [clamp.x.operand]))
    return rewrite
  }
}

/// min(max(x, low), high)
private struct Clamp {
  var x: ValueID
  var low = -Double.infinity
  var high = Double.infinity

  init?(_ node: Node, in graph: Graph) {
    guard let first = node.input(0), graph.type(of: first).element.isFloat else { return nil }
    x = first
    switch node.op {
    case is Relu: low = 0
    case let clip as Clip: (low, high) = (clip.min, clip.max)
    case is Min, is Max:
      guard let second = node.input(1) else { return nil }
      let arithmetic = ScalarArithmetic(graph)
      let bound: Double
      if let number = arithmetic.number(second) {
        bound = number
      } else if let number = arithmetic.number(first) {
        (x, bound) = (second, number)
      } else {
        return nil
      }
      guard !bound.isNaN else { return nil }
      if node.op is Min { high = bound } else { low = bound }
    default: return nil
    }
  }

  func callAsFunction(_ value: Double) -> Double { min(max(value, low), high) }

  /// A composition of clamps is the clamp to the image of the whole line.
  func followed(by outer: Clamp) -> Clamp {
    var result = self
    (result.low, result.high) = (outer(self(-.infinity)), outer(self(.infinity)))
    return result
  }

  var op: any Operator {
    switch (low, high) {
    case (0, .infinity): Relu()
    case (-.infinity, .infinity): Identity()
    default: Clip(min: low, max: high)
    }
  }
}
