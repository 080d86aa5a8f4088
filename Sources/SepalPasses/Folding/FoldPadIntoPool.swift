import SepalGraph

/// Lets a pool do the padding of its input.
///
/// Before: y = Pool(Pad(x))     After: y = Pool(x) {pads + Pad's}
/// Requires: constant padding along spatial axes only (either layout) that crops nothing; the same output shape. Other
/// readers of the padded value keep it. Further,
/// - max: nothing in x is less than the padding, which is −∞ or the lowest finite number, or any number up to a lower
///   bound of x (zero after an activation); every window holds an element of x;
/// - average: zero padding, which then counts in the divisor, so the pool's own padding must count too or be none;
///   floor mode, because in ceil mode the divisor of the last window depends on who pads.
/// Exactness: exact; for max over finite padding reassociated (the sign of a zero).
struct FoldPadIntoPool: Pass {
  static let name = "fold-pad-into-pool"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    switch node.op {
    case let pool as MaxPool: intoMaxPool(node, pool, in: graph)
    case let pool as AveragePool: intoAveragePool(node, pool, in: graph)
    default: nil
    }
  }

  private func intoMaxPool(_ node: Node, _ pool: MaxPool, in graph: Graph) -> Rewrite? {
    guard let padding = SpatialPadding(of: node, layout: pool.layout, in: graph) else { return nil }
    let x = graph.type(of: padding.x)
    let lowest = x.element.isFloat ? -x.element.magnitudes.upperBound : -.infinity
    guard x.element.isFloat, padding.value <= max(lowest, graph.range(of: padding.x).lowerBound) else {
      return nil
    }
    var padded = pool
    padded.padBegins = zip(pool.padBegins, padding.begins).map(+)
    padded.padEnds = zip(pool.padEnds, padding.ends).map(+)
    for axis in pool.kernel.indices {
      let span = (pool.kernel[axis] - 1) * pool.dilations[axis] + 1
      // A window that starts before x reaches into it, and does not step over it.
      guard max(padded.padBegins[axis], padded.padEnds[axis]) < span,
        x.shape[pool.layout.firstSpatialAxis + axis] >= pool.dilations[axis]
      else { return nil }
    }
    return rewritten(
      node, as: padded, padding, exactness: padding.value == -.infinity ? .exact : .reassociated, in: graph)
  }

  private func intoAveragePool(_ node: Node, _ pool: AveragePool, in graph: Graph) -> Rewrite? {
    guard !pool.ceilMode, let padding = SpatialPadding(of: node, layout: pool.layout, in: graph),
      padding.value == 0,
      pool.countIncludePad || (pool.padBegins + pool.padEnds).allSatisfy({ $0 == 0 })
    else { return nil }
    var padded = pool
    padded.padBegins = zip(pool.padBegins, padding.begins).map(+)
    padded.padEnds = zip(pool.padEnds, padding.ends).map(+)
    padded.countIncludePad = true
    return rewritten(node, as: padded, padding, exactness: .exact, in: graph)
  }

  private func rewritten(
    _ node: Node, as pool: some PoolOperator, _ padding: SpatialPadding, exactness: Exactness, in graph: Graph
  ) -> Rewrite? {
    let types = try? pool.inferOutputs(Inputs([graph.type(of: padding.x)]))
    guard types == [graph.type(of: node.output)] else { return nil }
    var rewrite = Rewrite(removing: padding.removed, exactness: exactness)
    rewrite.replace(node.output, with: rewrite.node(pool, name: node.name, inputs: [padding.x.operand]))
    return rewrite
  }
}
