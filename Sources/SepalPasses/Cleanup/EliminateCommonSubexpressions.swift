import SepalGraph
import SepalTensor

/// Computes equal things once.
///
/// Before: y₁ = f(x), y₂ = f(x)     After: y₁ = f(x), y₂ replaced by y₁
/// Requires: same operator, attributes and operands. Constants count as the same operand when their types and bytes are
/// equal, and are merged.
/// Exactness: exact.
struct EliminateCommonSubexpressions: Pass {
  static let name = "eliminate-common-subexpressions"

  private struct Expression: Hashable {
    let op: String
    let attributes: [AttributeValue]
    let inputs: [ValueID?]
  }

  /// The first node seen with each expression. Entries whose node has gone or changed are replaced when met.
  private var known: [Expression: NodeID] = [:]
  private var constants = ConstantPool()

  mutating func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    if let merge = constants.merge(node, in: graph) { return merge }
    let expression = Self.expression(node)
    guard let first = known[expression], first != node.id, graph.contains(first),
      Self.expression(graph.node(first)) == expression
    else {
      known[expression] = node.id
      return nil
    }
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    for (old, new) in zip(node.outputs, graph.node(first).outputs) { rewrite.replace(old, with: new.operand) }
    return rewrite
  }

  private static func expression(_ node: Node) -> Expression {
    Expression(op: node.op.name, attributes: node.op.attributes.map(\.value), inputs: node.inputs)
  }
}

/// Constants by content. Each one is looked at once.
private struct ConstantPool: Sendable {
  private struct Key: Hashable {
    let type: TensorType
    let digest: UInt64
  }

  private var first: [Key: ValueID] = [:]
  private var visited: Set<ValueID> = []

  /// Replaces the constants among the node's operands that equal an earlier constant.
  mutating func merge(_ node: Node, in graph: Graph) -> Rewrite? {
    var rewrite = Rewrite(removing: [], exactness: .exact)
    var found = false
    for case let id? in node.inputs {
      guard let tensor = graph.constant(id), visited.insert(id).inserted else { continue }
      let key = Key(type: tensor.type, digest: tensor.digest)
      if let earlier = first[key], graph.contains(earlier), let known = graph.constant(earlier),
        known.isIdentical(to: tensor)
      {
        rewrite.replace(id, with: earlier.operand)
        found = true
      } else {
        first[key] = id
      }
    }
    return found ? rewrite : nil
  }
}

extension Tensor {
  /// A hash of a sample of the bytes, of all of them in small tensors. Equal tensors have equal digests; whoever
  /// finds equal digests compares the tensors.
  fileprivate var digest: UInt64 {
    withUnsafeBytes { bytes in
      var hash = UInt64(bytes.count)
      func mix(_ word: UInt64) {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        hash = product.high ^ product.low
      }
      let wordCount = bytes.count / 8
      for index in stride(from: 0, to: wordCount, by: max(1, wordCount / 64)) {
        // The index keeps runs of zeros from collapsing the state.
        mix(bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) &+ UInt64(index))
      }
      for byte in bytes[(wordCount * 8)...] { mix(UInt64(byte)) }
      return hash
    }
  }
}
