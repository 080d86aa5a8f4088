import SepalGraph

/// Moves transposes towards the graph's outputs, through everything that does not care about the order of axes.
///
/// Before: y = f(Transpose(x), c)     After: y = Transpose(f(x, c′))
///         z = Transpose(f(Transpose(x, p)), q)     z = Transpose(f(x), p·q), or f(x)
/// Requires: f elementwise, Concat, Split, Slice, Pad, Tile, Expand, Resize, Gather, a reduction, softmax or running sum, or
/// a Reshape that keeps merged axes side by side; constants are permuted. The number of transposes falls, or it stays
/// and all that are left are behind f. Where one node is not enough, the readers of the transposed value and what
/// follows them are moved together, so that branches which meet again are no obstacle.
/// Exactness: exact; reassociated for sums over several axes and for interpolation.
struct SinkTransposes: Pass {
  static let name = "sink-transposes"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard !(node.op is Transpose) else { return nil }
    let transposed = node.inputs.compactMap { $0 }.filter { graph.costlyTranspose(producing: $0) != nil }
    guard !transposed.isEmpty, let alone = LayoutFlip([node], in: graph) else { return nil }
    if alone.isGain || alone.isDescent { return alone.rewrite() }
    guard transposed.contains(where: { isFirstReader(node, of: $0, in: graph) }) else { return nil }
    return alone.grown { $0.isGain || $0.isDescent }?.rewrite()
  }

  /// One reader speaks for all, or each would try the same group.
  private func isFirstReader(_ node: Node, of value: ValueID, in graph: Graph) -> Bool {
    let value = graph.value(value)
    guard value.useCount <= Graph.readerLimit else { return false }
    return value.consumers.first { !(graph.node($0).op is Transpose) } == node.id
  }
}
