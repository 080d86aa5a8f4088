import SepalGraph
import SepalTensor

/// The constants of a converted graph, held against the digests in the log of what made them.
public struct LoggedConstants: Sendable {
  /// A rewrite whose nodes are still there, and read other constants than when it made them.
  public struct Fault: Sendable, Hashable {
    /// Position in the log, from 0.
    public var index: Int
    public var record: RewriteRecord
  }

  /// Rewrites whose constants were looked for.
  public private(set) var checked = 0
  public private(set) var faults: [Fault] = []

  /// Nothing can be said of constants in half precision, which are not those that were logged: none is looked for.
  public init(_ graph: Graph) {
    let log = graph.provenance.rewrites
    let constants = graph.values.compactMap(\.constant)
    guard log.contains(where: { $0.witness != nil }), !Self.areHalf(constants) else { return }
    var count: [String: Int] = [:]
    for node in graph.nodes { count["\(node.name) (\(node.op.name))", default: 0] += 1 }
    // Who made each node, by its label; nil where two nodes of one label were about.
    var maker: [String: Int?] = [:]
    for (index, record) in log.enumerated() {
      for label in record.before { maker[label] = nil }
      for label in record.after { maker[label] = .some(maker[label] == nil ? index : nil) }
    }
    let digests = Set(constants.map { WitnessRecorder.digest(of: $0) })
    for (index, record) in log.enumerated() {
      guard let made = record.witness?.constants, !made.isEmpty, !record.after.isEmpty,
        record.after.allSatisfy({ count[$0] == 1 && maker[$0] == .some(index) })
      else { continue }
      checked += 1
      if !digests.isSuperset(of: made) { faults.append(Fault(index: index, record: record)) }
    }
  }

  private static func areHalf(_ constants: [Tensor]) -> Bool {
    let large = constants.filter { $0.element == .float32 && $0.count >= 16 }
    return !large.isEmpty
      && large.allSatisfy { tensor in
        tensor.converted(to: .float16).converted(to: .float32).isIdentical(to: tensor)
      }
  }
}
