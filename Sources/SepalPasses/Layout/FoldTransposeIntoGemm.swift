import SepalGraph
import SepalTensor

/// Reorders a dense layer's weights instead of its flattened input.
///
/// Before: y = Gemm(Reshape(Transpose(x)) {shape: [N,K]}, b, …)     After: y = Gemm(Reshape(x) {shape: [N,K]}, b′, …)
/// Requires: the Transpose keeps axis 0, of extent N; Gemm (transA: 0) or a MatMul with a matrix; b constant and read by
/// nothing else; nothing else reads the transposed and the flattened value.
/// Exactness: reassociated (the terms of each sum come in another order).
struct FoldTransposeIntoGemm: Pass {
  static let name = "fold-transpose-into-gemm"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let inputAxis = inputAxis(node.op), let weight = node.input(1), let b = graph.constant(weight),
      b.shape.count == 2, graph.value(weight).useCount == 1,
      let (reshapeNode, reshape) = graph.soleProducer(of: node.input(0), as: Reshape.self),
      let flattened = reshapeNode.input(0), graph.value(flattened).useCount == 1,
      let transpose = graph.transpose(producing: flattened), transpose.permutation[0] == 0
    else { return nil }
    let seen = graph.type(of: flattened).shape
    guard seen.count > 1, reshape.shape == [seen[0], b.shape[inputAxis]] else { return nil }

    // The flattened axis apart again as [K…] in the order that was seen, then in the order of x.
    let features = Array(seen.dropFirst())
    let order = Permutation(transpose.permutation.axes.dropFirst().map { $0 - 1 }).inverse
    let split = inputAxis == 0 ? features + [b.shape[1]] : [b.shape[0]] + features
    let whole = inputAxis == 0 ? Permutation(order.axes + [order.rank]) : order.extended(toRank: split.count)
    let reordered = b.reshaped(split).transposed(by: whole)

    var rewrite = Rewrite(
      removing: [transpose.node.id, reshapeNode.id, node.id], exactness: .reassociated)
    let x = rewrite.node(reshape, name: reshapeNode.name, inputs: [transpose.source.operand])
    let newWeight = rewrite.constant(graph.value(weight).name, reordered.reshaped(b.shape))
    let rest = node.inputs.dropFirst(2).map { $0?.operand }
    rewrite.replace(
      node.output, with: rewrite.node(node.op, name: node.name, inputs: [x, newWeight] + rest))
    return rewrite
  }

  /// The axis of b that meets the input's features.
  private func inputAxis(_ op: any Operator) -> Int? {
    switch op {
    case let gemm as Gemm: gemm.transA ? nil : gemm.transB ? 1 : 0
    case is MatMul: 0
    default: nil
    }
  }
}
