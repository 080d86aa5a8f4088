import SepalGraph

/// Joins slices that together are the whole tensor into one Split.
///
/// Before: a = Slice(x) {0 to i}, b = Slice(x) {i to j}, c = Slice(x) {j to end} along one axis
/// After:  a, b, c = Split(x)
/// Requires: two or more slices of step 1; no gap, no overlap.
/// Exactness: exact.
struct RecognizeSplit: Pass {
  static let name = "recognize-split"

  private struct Part {
    var node: Node
    var axis: Int
    var range: Range<Int>
  }

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let x = node.input(0), let first = part(node, in: graph), first.range.lowerBound == 0,
      graph.value(x).useCount <= Graph.readerLimit
    else { return nil }
    let parts = graph.value(x).consumers.compactMap { part(graph.node($0), in: graph) }
      .filter { $0.axis == first.axis }
      .sorted { ($0.range.lowerBound, $0.node.id) < ($1.range.lowerBound, $1.node.id) }
    var end = 0
    for part in parts {
      guard part.range.lowerBound == end else { return nil }
      end = part.range.upperBound
    }
    guard parts.count > 1, end == graph.type(of: x).shape[first.axis] else { return nil }
    var rewrite = Rewrite(removing: parts.map(\.node.id), exactness: .exact)
    let split = Split(axis: first.axis, sizes: parts.map(\.range.count))
    let outputs = rewrite.nodes(split, name: node.name, inputs: [x.operand], outputCount: parts.count)
    for (part, output) in zip(parts, outputs) { rewrite.replace(part.node.output, with: output) }
    return rewrite
  }

  /// What a Slice along a single axis takes.
  private func part(_ node: Node, in graph: Graph) -> Part? {
    guard let slice = node.op(as: Slice.self), let x = node.input(0) else { return nil }
    let shape = graph.type(of: x).shape
    let cut = slice.axes.indices.filter { slice.starts[$0] != 0 || slice.ends[$0] != shape[slice.axes[$0]] }
    guard cut.count == 1, slice.steps.allSatisfy({ $0 == 1 }), slice.starts[cut[0]] < slice.ends[cut[0]]
    else { return nil }
    return Part(
      node: node, axis: slice.axes[cut[0]], range: slice.starts[cut[0]]..<slice.ends[cut[0]])
  }
}
