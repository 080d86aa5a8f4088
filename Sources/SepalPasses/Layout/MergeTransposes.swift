import SepalGraph

/// Composes consecutive transposes and drops those that cancel.
///
/// Before: z = Transpose(Transpose(x, p), q)     After: z = Transpose(x, p·q), or x
///         z = Transpose(x, identity)                   z = x
/// Requires: nothing. An inner transpose with other readers stays for them.
/// Exactness: exact.
struct MergeTransposes: Pass {
  static let name = "merge-transposes"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let outer = node.op(as: Transpose.self), var source = node.input(0) else { return nil }
    var permutation = Permutation(outer.permutation)
    var removed = [node.id]
    if let inner = graph.transpose(producing: source) {
      permutation = inner.permutation.followed(by: permutation)
      if graph.value(source).useCount == 1 { removed.append(inner.node.id) }
      source = inner.source
    } else if !permutation.isIdentity {
      return nil
    }
    var rewrite = Rewrite(removing: removed, exactness: .exact)
    if permutation.isIdentity {
      rewrite.replace(node.output, withValue: source, in: graph)
    } else {
      let merged = Transpose(permutation: permutation.axes)
      rewrite.replace(node.output, with: rewrite.node(merged, name: node.name, inputs: [source.operand]))
    }
    return rewrite
  }
}
