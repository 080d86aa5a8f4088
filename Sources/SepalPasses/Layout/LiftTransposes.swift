import SepalGraph

/// Moves transposes towards the graph's inputs where that saves some, and above reshapes that merge axes.
///
/// Before: y = Transpose(f(x, …))     After: y = f(Transpose(x), …)
/// Requires: f commutes as for sink-transposes. The number of transposes falls, because x is there in that order already or
/// several results are transposed, of f or of f and what follows it; or f is a Reshape that merges axes and splits
/// none, nobody reads its result in the old order, and the number does not rise.
/// Exactness: exact; reassociated for sums over several axes and for interpolation.
struct LiftTransposes: Pass {
  static let name = "lift-transposes"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let transpose = graph.costlyTranspose(producing: node.outputs.first),
      let producer = graph.producer(of: transpose.source), !(producer.op is Transpose)
    else { return nil }
    let order = transpose.permutation.inverse
    guard let flip = LayoutFlip([producer], lifting: (producer.id, order), in: graph) else { return nil }
    if flip.isAscent && isMerge(producer, in: graph) { return flip.rewrite() }
    return flip.grown { $0.isGain }?.rewrite()
  }

  private func isMerge(_ node: Node, in graph: Graph) -> Bool {
    guard let reshape = node.op(as: Reshape.self), let x = node.input(0),
      let groups = ReshapeGroups(graph.type(of: x).shape, reshape.shape)
    else { return false }
    return groups.merges && !groups.splits
  }
}
