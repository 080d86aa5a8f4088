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

  /// Nodes that are moved together at most.
  private static let groupLimit = 16

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard !(node.op is Transpose) else { return nil }
    let transposed = node.inputs.compactMap { $0 }.filter { graph.costlyTranspose(producing: $0) != nil }
    guard !transposed.isEmpty, let alone = LayoutFlip(sinkingThrough: [node], in: graph) else { return nil }
    if alone.isGain || alone.isDescent { return alone.rewrite() }
    guard transposed.contains(where: { isFirstReader(node, of: $0, in: graph) }) else { return nil }
    return together(alone, in: graph)
  }

  /// One reader speaks for all, or each would try the same group.
  private func isFirstReader(_ node: Node, of value: ValueID, in graph: Graph) -> Bool {
    let value = graph.value(value)
    guard value.useCount <= Graph.readerLimit else { return false }
    return value.consumers.first { !(graph.node($0).op is Transpose) } == node.id
  }

  private func together(_ start: LayoutFlip, in graph: Graph) -> Rewrite? {
    var flip = start
    var nodes = start.steps.map(\.node)
    while nodes.count < Self.groupLimit {
      let more = neighbours(of: flip, in: graph)
      guard !more.isEmpty else { return nil }
      nodes += more.prefix(Self.groupLimit - nodes.count)
      guard let larger = LayoutFlip(sinkingThrough: nodes, in: graph) else { return nil }
      if larger.isGain || larger.isDescent { return larger.rewrite() }
      flip = larger
    }
    return nil
  }

  /// Nodes that read what the group reads transposed, or what it would have to transpose behind it.
  private func neighbours(of flip: LayoutFlip, in graph: Graph) -> [Node] {
    var found: [Node] = []
    func consider(_ value: ValueID, _ order: Permutation) {
      guard graph.value(value).useCount <= Graph.readerLimit else { return }
      for id in graph.value(value).consumers where !flip.members.contains(id) {
        let reader = graph.node(id)
        guard !(reader.op is Transpose), !found.contains(where: { $0.id == id }),
          let index = reader.inputs.firstIndex(of: value),
          Commutation(reader, operand: index, in: order, of: graph) != nil
        else { continue }
        found.append(reader)
      }
    }
    for step in flip.steps {
      for case let input? in step.node.inputs {
        if let transpose = graph.costlyTranspose(producing: input) { consider(input, transpose.permutation) }
      }
      for output in step.node.outputs {
        if let order = flip.orders[output] { consider(output, order) }
      }
    }
    return found
  }
}
