import SepalGraph
import SepalTensor

/// Evaluates nodes that depend on constants only.
///
/// Before: y = f(c₁, c₂, …)     After: constant y
/// Requires: every operand is constant; no output is a graph output; the result is not larger than the operands together,
/// or it and all such results together are small, so that files do not grow (Expand, Range, Tile); the evaluation takes
/// little work.
/// Exactness: exact, the reference evaluation in the declared types.
struct FoldConstants: Pass {
  static let name = "fold-constants"

  /// Results up to this size may be larger than their operands.
  private static let smallByteCount = 64 << 10
  /// By how much all results together may exceed their operands.
  private static let growthLimit = 16 << 20
  private static let maximumMACs = 1 << 26
  private var growth = 0

  mutating func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    var operands: [Tensor?] = []
    for input in node.inputs {
      let constant = graph.constant(input)
      guard input == nil || constant != nil else { return nil }
      operands.append(constant)
    }
    guard node.outputs.allSatisfy({ !graph.value($0).isGraphOutput }) else { return nil }
    let types = node.outputs.map { graph.type(of: $0) }
    let operandBytes = operands.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    let resultBytes = types.reduce(0) { $0 + $1.byteCount }
    let added = max(0, resultBytes - operandBytes)
    guard resultBytes <= max(operandBytes, Self.smallByteCount), growth + added <= Self.growthLimit,
      node.op.macs(graph.inputTypes(of: node), outputs: types) <= Self.maximumMACs,
      let results = try? node.op.evaluate(Inputs(operands)), results.map(\.type) == types
    else { return nil }
    growth += added
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    for (output, result) in zip(node.outputs, results) where graph.useCount(of: output) > 0 {
      rewrite.replace(output, with: rewrite.constant(graph.value(output).name, result))
    }
    return rewrite
  }
}
