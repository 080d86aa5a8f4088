import SepalGraph

/// Lets a convolution do the zero padding of its input.
///
/// Before: y = Conv(Pad(x), W, b)     After: y = Conv(x, W, b) {pads + Pad's}
/// Requires: the padding is constant zero, along spatial axes only (either layout), and crops nothing. Other readers of
/// the padded value keep it.
/// Exactness: exact.
struct FoldPadIntoConv: Pass {
  static let name = "fold-pad-into-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard var conv = node.op(as: Conv.self),
      let padding = SpatialPadding(of: node, layout: conv.layout, in: graph), padding.value == 0
    else { return nil }
    conv.padBegins = zip(conv.padBegins, padding.begins).map(+)
    conv.padEnds = zip(conv.padEnds, padding.ends).map(+)
    var rewrite = Rewrite(removing: padding.removed, exactness: .exact)
    let inputs = [padding.x.operand] + node.inputs.dropFirst().map { $0?.operand }
    rewrite.replace(node.output, with: rewrite.node(conv, name: node.name, inputs: inputs))
    return rewrite
  }
}
