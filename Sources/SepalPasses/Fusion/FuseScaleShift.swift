import SepalGraph

/// Joins consecutive products and sums with constants per channel that found no convolution to fold into.
///
/// Before: y = act((x·s + t)·u + v), any of the parts may be missing     After: y = ScaleShift(x, s·u, t·u + v) {act}
/// Requires: constants vary along one common channel axis at most; the inner operation has no activation, nothing else
/// reads it and it is not a graph output; the new constants are finite and, made from single numbers, 65,536 at most.
/// Exactness: reassociated (one rounding per constant).
struct FuseScaleShift: Pass {
  static let name = "fuse-scale-shift"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let outer = node.op as? any ActivatedOperator, let inner = graph.producer(of: node.input(0)),
      graph.useCount(of: inner.output) == 1, let x = inner.input(0),
      (inner.op as? any ActivatedOperator)?.activation == .identity
    else { return nil }
    let type = graph.type(of: node.output)
    for layout in layouts(node, inner, in: graph) {
      let axis = layout.channelAxis(rank: type.rank)
      guard let first = ChannelAffine(scaling: inner, axis: axis, in: graph),
        let second = ChannelAffine(scaling: node, axis: axis, in: graph)
      else { continue }
      var rewrite = Rewrite(removing: [inner.id, node.id], exactness: .reassociated)
      guard
        let operands = second.composed(after: first).scaleShiftOperands(
          element: type.element, name: node.name, in: &rewrite)
      else { return nil }
      let op = ScaleShift(layout: layout, activation: outer.activation)
      rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: [x.operand] + operands))
      return rewrite
    }
    return nil
  }

  /// Where the channels of the result may be.
  private func layouts(_ node: Node, _ inner: Node, in graph: Graph) -> [Layout] {
    let shape = graph.type(of: node.output).shape
    guard shape.count >= 2 else { return [] }
    let isUniform = [inner, node].allSatisfy { node in
      !(node.op is ScaleShift) && graph.constant(node.input(1))?.count == 1
    }
    guard isUniform else { return Layout.allCases }
    // Single numbers fit any axis. The runtime wants the last one, and so do neighbours by now, unless a transpose to
    // channels-last comes next, above which the node may move.
    let consumer = graph.soleConsumer(of: node.output)?.op(as: Transpose.self)
    let layout: Layout =
      consumer?.permutation == Layout.toChannelsLast(rank: shape.count) ? .channelsFirst : .channelsLast
    return shape[layout.channelAxis(rank: shape.count)] <= Self.expansionLimit ? [layout] : []
  }

  /// What a single number may grow to.
  private static let expansionLimit = 1 << 16
}
