import SepalGraph
import SepalTensor

/// Moves a Reshape behind elementwise operators, where it meets other reshapes and stands in no fusion's way.
///
/// Before: y = f(Reshape(x))                    After: y = Reshape(f(x))
///         y = g(Reshape(a), Reshape(b))               y = Reshape(g(a, b))
///         y = g(Reshape(x), c)                        y = Reshape(g(x, c))
/// Requires: f, g elementwise; nothing else reads the reshaped values; a and b of one shape; c a single number that does
/// not widen the result.
/// Exactness: exact.
struct SinkReshapes: Pass {
  static let name = "sink-reshapes"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is any UnaryOperator || node.op is Cast || node.op is any BinaryOperator else { return nil }
    var removed = [node.id]
    var inputs: [ValueID?] = []
    var shape: [Int]?
    for input in node.inputs {
      guard let input else { return nil }
      if let (reshape, op) = reshape(input, of: node, in: graph), let x = reshape.input(0) {
        guard op.shape == graph.type(of: node.output).shape, shape == nil || shape == graph.type(of: x).shape
        else { return nil }
        shape = graph.type(of: x).shape
        if !removed.contains(reshape.id) { removed.append(reshape.id) }
        inputs.append(x)
      } else {
        guard graph.value(input).isConstant, graph.type(of: input).count == 1 else { return nil }
        inputs.append(input)
      }
    }
    guard let shape, inputs.allSatisfy({ $0.map { graph.type(of: $0).rank <= shape.count } ?? true }) else {
      return nil
    }
    var rewrite = Rewrite(removing: removed, exactness: .exact)
    let result = rewrite.nodes(
      node.op, name: node.name, inputs: inputs.map { $0?.operand }, outputCount: 1,
      outputNames: ["\(graph.value(node.output).name).unshaped"])[0]
    let output = graph.type(of: node.output).shape
    if output.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) {
      rewrite.inheritOrigins(of: node.output, to: result, permutation: [])
    }
    rewrite.replace(
      node.output, with: rewrite.node(Reshape(shape: output), name: "\(node.name).reshaped", inputs: [result])
    )
    return rewrite
  }

  /// The Reshape that `node` alone reads as `value`, in one operand or several.
  private func reshape(_ value: ValueID, of node: Node, in graph: Graph) -> (node: Node, op: Reshape)? {
    guard graph.value(value).useCount == node.inputs.count(where: { $0 == value }),
      let producer = graph.producer(of: value), let op = producer.op(as: Reshape.self)
    else { return nil }
    return (producer, op)
  }
}
