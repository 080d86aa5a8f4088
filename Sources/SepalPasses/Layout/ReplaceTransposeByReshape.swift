import SepalGraph

/// Writes a Transpose that moves no data as a Reshape.
///
/// Before: y = Transpose(x)     After: y = Reshape(x)
/// Requires: only axes of extent 1 change their place, as around a single channel or behind a global pooling.
/// Exactness: exact.
struct ReplaceTransposeByReshape: Pass {
  static let name = "replace-transpose-by-reshape"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let transpose = node.op(as: Transpose.self), let x = node.input(0),
      Permutation(transpose.permutation).isReshape(of: graph.type(of: x).shape)
    else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    let shape = graph.type(of: node.output).shape
    rewrite.replace(
      node.output, with: rewrite.node(Reshape(shape: shape), name: node.name, inputs: [x.operand]))
    return rewrite
  }
}
