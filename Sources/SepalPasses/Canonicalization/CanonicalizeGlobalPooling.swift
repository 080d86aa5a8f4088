import SepalGraph

/// Recognises pooling over the whole image.
///
/// Before: y = ReduceMean(x) or ReduceMax(x) over all spatial axes, or a pool whose window is the whole image
/// After:  y = GlobalAveragePool(x) or GlobalMaxPool(x), keepDims as before
/// Requires: floating point. Reductions: rank 4 or 5, the axes are those of either layout. Pools: the window is as large
/// as the image, not dilated, without padding (a ceil-mode window cannot reach further), so there is one window.
/// Exactness: exact for the maximum, reassociated for the mean.
struct CanonicalizeGlobalPooling: Pass {
  static let name = "canonicalize-global-pooling"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let x = node.input(0), graph.type(of: x).element.isFloat else { return nil }
    let shape = graph.type(of: x).shape
    let pooled: any Operator
    let exactness: Exactness
    switch node.op {
    case let op as ReduceMean:
      guard let layout = layout(reducing: op.axes, rank: shape.count) else { return nil }
      (pooled, exactness) = (GlobalAveragePool(layout: layout, keepDims: op.keepDims), .reassociated)
    case let op as ReduceMax:
      guard let layout = layout(reducing: op.axes, rank: shape.count) else { return nil }
      (pooled, exactness) = (GlobalMaxPool(layout: layout, keepDims: op.keepDims), .exact)
    case let op as AveragePool:
      guard coversImage(op, shape) else { return nil }
      (pooled, exactness) = (GlobalAveragePool(layout: op.layout), .reassociated)
    case let op as MaxPool:
      guard coversImage(op, shape) else { return nil }
      (pooled, exactness) = (GlobalMaxPool(layout: op.layout), .exact)
    default: return nil
    }
    var rewrite = Rewrite(removing: [node.id], exactness: exactness)
    rewrite.replace(node.output, with: rewrite.node(pooled, name: node.name, inputs: [x.operand]))
    return rewrite
  }

  private func layout(reducing axes: [Int], rank: Int) -> Layout? {
    guard rank == 4 || rank == 5 else { return nil }
    return Layout.allCases.first { axes == Array($0.firstSpatialAxis..<$0.firstSpatialAxis + rank - 2) }
  }

  private func coversImage(_ pool: some PoolOperator, _ shape: [Int]) -> Bool {
    let first = pool.layout.firstSpatialAxis
    return pool.kernel == Array(shape[first..<first + shape.count - 2])
      && pool.dilations.allSatisfy { $0 == 1 } && (pool.padBegins + pool.padEnds).allSatisfy { $0 == 0 }
  }
}
