import SepalGraph
import SepalTensor

/// Folds the offset of a hard sigmoid into the bias before it, where some exporters have put it already.
///
/// Before: y = hardSigmoid(α, β)(Op(x, W, b))     After: y = hardSigmoid(α, 0)(Op(x, W, b + β/α))
/// Requires: Op is a convolution, transposed convolution or Gemm without residual, or the gate of a squeeze-excite; W and b
/// constant; α and β not zero; the new bias is finite.
/// Exactness: reassociated.
struct FoldHardSigmoidOffset: Pass {
  static let name = "fold-hard-sigmoid-offset"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    if let op = node.op(as: SqueezeExcite.self) { return rewrite(node, op, in: graph) }
    guard var op = node.op as? any ActivatedOperator, let (alpha, offset) = parts(op.activation),
      let layer = LinearLayer(node, in: graph)
    else { return nil }
    let channels = graph.type(of: node.output).shape[layer.channelAxis]
    let shift = [Double](repeating: offset, count: channels)
    guard let parameters = layer.applying(ChannelAffine(shift: shift)) else { return nil }
    op.activation = .hardSigmoid(alpha: alpha, beta: 0)
    var rewrite = Rewrite(removing: [node.id], exactness: .reassociated)
    let inputs = parameters.operands(node, x: node.input(0), in: graph, &rewrite)
    rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: inputs))
    return rewrite
  }

  private func rewrite(_ node: Node, _ op: SqueezeExcite, in graph: Graph) -> Rewrite? {
    guard let (alpha, offset) = parts(op.gate), let weight = graph.constant(node.input(3)) else { return nil }
    var bias = [Double](repeating: 0, count: weight.shape[0])
    if let old = node.input(4) {
      guard let constant = graph.constant(old) else { return nil }
      bias = constant.doubles()
    }
    bias = bias.map { $0 + offset }
    guard bias.allSatisfy({ abs($0) <= weight.element.magnitudes.upperBound }) else { return nil }
    var op = op
    op.gate = .hardSigmoid(alpha: alpha, beta: 0)
    var rewrite = Rewrite(removing: [node.id], exactness: .reassociated)
    var inputs = node.inputs.prefix(4).map { $0?.operand }
    inputs.append(
      rewrite.constant("\(node.name).b2", Tensor(weight.element, [bias.count], doubles: bias)))
    rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: inputs))
    return rewrite
  }

  /// α and β/α of a hard sigmoid that has an offset.
  private func parts(_ activation: Activation) -> (alpha: Double, offset: Double)? {
    guard case .hardSigmoid(let alpha, let beta) = activation, alpha != 0, beta != 0 else { return nil }
    return (alpha, beta / alpha)
  }
}
