import SepalGraph

/// Keeps the last of consecutive reshapes, and none where the shape is what it was.
///
/// Before: z = Reshape(Reshape(x))     After: z = Reshape(x), or x
///         z = Reshape(x) to x's shape        z = x
/// Requires: nothing. An inner reshape with other readers stays for them.
/// Exactness: exact.
struct MergeReshapes: Pass {
  static let name = "merge-reshapes"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let outer = node.op(as: Reshape.self), var source = node.input(0) else { return nil }
    var removed = [node.id]
    if let inner = graph.producer(of: source), inner.op is Reshape, let x = inner.input(0) {
      if graph.value(source).useCount == 1 { removed.append(inner.id) }
      source = x
    } else if graph.type(of: source).shape != outer.shape {
      return nil
    }
    var rewrite = Rewrite(removing: removed, exactness: .exact)
    if graph.type(of: source).shape == outer.shape {
      rewrite.replace(node.output, withValue: source, in: graph)
    } else {
      rewrite.replace(node.output, with: rewrite.node(outer, name: node.name, inputs: [source.operand]))
    }
    return rewrite
  }
}
