import SepalGraph

/// Lets a global pooling drop the axes that a Reshape would drop behind it.
///
/// Before: y = Reshape(GlobalAveragePool(x)) {shape: [N,C]}     After: y = GlobalAveragePool(x) {keepDims: 0}
/// Requires: GlobalAveragePool or GlobalMaxPool; the new shape is [N, C]; nothing else reads the pooled value.
/// Exactness: exact.
struct FoldReshapeIntoGlobalPool: Pass {
  static let name = "fold-reshape-into-global-pool"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let reshape = node.op(as: Reshape.self), let pooled = node.input(0),
      graph.value(pooled).useCount == 1, let producer = graph.producer(of: pooled),
      let (op, layout) = withoutUnitAxes(producer.op), let x = producer.input(0)
    else { return nil }
    let input = graph.type(of: x)
    let channels = input.shape[layout.channelAxis(rank: input.rank)]
    guard reshape.shape == [input.shape[0], channels] else { return nil }
    var rewrite = Rewrite(removing: [producer.id, node.id], exactness: .exact)
    let result = rewrite.node(op, name: producer.name, inputs: [x.operand])
    rewrite.inheritOrigins(of: pooled, to: result, permutation: [])
    rewrite.replace(node.output, with: result)
    return rewrite
  }

  private func withoutUnitAxes(_ op: any Operator) -> (op: any Operator, layout: Layout)? {
    switch op {
    case let pool as GlobalAveragePool where pool.keepDims:
      (GlobalAveragePool(layout: pool.layout, keepDims: false), pool.layout)
    case let pool as GlobalMaxPool where pool.keepDims:
      (GlobalMaxPool(layout: pool.layout, keepDims: false), pool.layout)
    default: nil
    }
  }
}
