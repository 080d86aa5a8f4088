import SepalGraph

/// Makes a dense layer over positions a 1×1 convolution, into which bias, scale, shortcut and activation can be folded.
///
/// Before: y = MatMul(x, W)     After: y = Conv(x, Wᵀ) {layout: channelsLast}
/// Requires: x of rank 3 or 4 with at least one element, W constant of rank 2 and not read elsewhere, because it is copied;
/// floating point.
/// Exactness: exact.
struct ConvertMatMulToConv: Pass {
  static let name = "convert-mat-mul-to-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is MatMul, let x = node.input(0), let id = node.input(1),
      let weight = graph.constant(id), weight.type.rank == 2, weight.count > 0, graph.useCount(of: id) == 1
    else { return nil }
    let type = graph.type(of: x)
    guard type.rank == 3 || type.rank == 4, type.element.isFloat, type.count > 0 else { return nil }
    let axes = type.rank - 2
    let (ones, zeros) = (Array(repeating: 1, count: axes), Array(repeating: 0, count: axes))
    let conv = Conv(strides: ones, padBegins: zeros, padEnds: zeros, dilations: ones, layout: .channelsLast)
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    let kernel = weight.transposed(by: Permutation([1, 0]))
    let constant = rewrite.constant(graph.value(id).name, kernel.reshaped(kernel.shape + ones))
    rewrite.replace(
      node.output, with: rewrite.node(conv, name: node.name, inputs: [x.operand, constant]))
    return rewrite
  }
}
