import SepalDigest
import SepalGraph
import SepalTensor

/// Makes a witness of each rewrite of one optimisation, in time linear in the constants that it makes.
public struct WitnessRecorder: Sendable {
  /// Of the rewrites so far, in order.
  public private(set) var witnesses: [RewriteWitness] = []
  /// Digests of constants that have been read before.
  private var digests: [ValueID: String] = [:]

  public init() {}

  /// Records a rewrite that is about to be applied to `graph`.
  public mutating func record(_ rewrite: Rewrite, pass: String, in graph: Graph) {
    var new: [Int: String] = [:]
    var read: [String] = []
    func text(_ operand: Rewrite.Operand) -> String {
      switch operand {
      case .existing(let id): "'\(graph.value(id).name)'"
      case .new(let index): "\(index)"
      }
    }
    var lines = ["\(pass) \(rewrite.exactness)"]
    for id in rewrite.removedNodes {
      let node = graph.node(id)
      lines.append("- \(node.op.name) '\(node.name)'")
    }
    for value in rewrite.newValues {
      switch value {
      case .constant(let index, _, let tensor):
        let digest = Self.digest(of: tensor)
        new[index] = digest
        lines.append("\(index) = constant \(digest)")
      case .node(let op, let name, let inputs, let values):
        let attributes = op.nonDefaultAttributes.map { "\($0.name): \($0.value)" }
        let operands = inputs.map { $0.map(text) ?? "none" }
        for case let operand? in inputs {
          switch operand {
          case .existing(let id): if let digest = digest(of: id, in: graph) { read.append(digest) }
          case .new(let index): if let digest = new[index] { read.append(digest) }
          }
        }
        lines.append(
          "\(values) = \(op.name) '\(name)' {\(attributes.joined(separator: ", "))} \(operands)")
      }
    }
    for (old, new) in rewrite.replacements { lines.append("'\(graph.value(old).name)' → \(text(new))") }
    lines += read
    var hasher = SHA256Hasher()
    hasher.update(lines.joined(separator: "\n"))
    witnesses.append(RewriteWitness(digest: Self.shortened(hasher.finish()), constants: read))
  }

  private mutating func digest(of id: ValueID, in graph: Graph) -> String? {
    guard let tensor = graph.constant(id) else { return nil }
    if let known = digests[id] { return known }
    let digest = Self.digest(of: tensor)
    digests[id] = digest
    return digest
  }

  /// Of the type, such as `float32[2x3]`, a line feed, and the elements in row-major order.
  package static func digest(of tensor: Tensor) -> String {
    var hasher = SHA256Hasher()
    hasher.update("\(tensor.type)\n")
    tensor.withUnsafeBytes { hasher.update($0) }
    return shortened(hasher.finish())
  }

  private static func shortened(_ digest: String) -> String { String(digest.prefix(32)) }
}
