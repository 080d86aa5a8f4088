import SepalTensor

/// A proposed change to a graph: nodes that go, nodes that come, and which new value stands for which old one.
///
/// A pass builds one from a read-only graph; `Graph.apply` checks and performs it.
public struct Rewrite: Sendable {
  /// A value of the graph, or one that the rewrite itself makes.
  public enum Operand: Sendable, Hashable {
    case existing(ValueID)
    case new(Int)
  }

  enum Step: Sendable {
    case constant(name: String, tensor: Tensor)
    case node(op: any Operator, name: String, inputs: [Operand?], outputs: [Int], outputNames: [String])
  }

  public let exactness: Exactness
  var steps: [Step] = []
  var removed: [NodeID]
  package private(set) var replacements: [(old: ValueID, new: Operand)] = []
  var extraOrigins: [(old: ValueID, new: Operand, permutation: [Int])] = []
  private var newValueCount = 0
  private var constantIndices: [(step: Int, value: Int)] = []
  var constantValues: [Int: Int] {
    Dictionary(uniqueKeysWithValues: constantIndices.map { ($0.step, $0.value) })
  }

  /// `nodes` are removed once their outputs have been replaced. They may be listed in any order.
  public init(removing nodes: [NodeID], exactness: Exactness) {
    self.removed = nodes
    self.exactness = exactness
  }

  /// Adds a constant.
  public mutating func constant(_ name: String, _ tensor: Tensor) -> Operand {
    defer { newValueCount += 1 }
    constantIndices.append((steps.count, newValueCount))
    steps.append(.constant(name: name, tensor: tensor))
    return .new(newValueCount)
  }

  /// Adds a node with `outputCount` outputs, named as in `Graph.add`. A value that replaces another takes over its name.
  public mutating func nodes(
    _ op: any Operator, name: String, inputs: [Operand?], outputCount: Int, outputNames: [String] = []
  ) -> [Operand] {
    let outputs = Array(newValueCount..<newValueCount + outputCount)
    newValueCount += outputCount
    steps.append(.node(op: op, name: name, inputs: inputs, outputs: outputs, outputNames: outputNames))
    return outputs.map { .new($0) }
  }

  /// Adds a node with one output.
  public mutating func node(_ op: any Operator, name: String, inputs: [Operand?]) -> Operand {
    nodes(op, name: name, inputs: inputs, outputCount: 1)[0]
  }

  /// Makes all readers of `old` read `new`, which must have the same type; `new` inherits the origins.
  public mutating func replace(_ old: ValueID, with new: Operand) {
    replacements.append((old, new))
  }

  /// Records that `Transpose(new, permutation)` equals `old` up to unit axes, so that `new` stands for old's sources too.
  /// No permutation: the same elements in the same order.
  public mutating func inheritOrigins(of old: ValueID, to new: Operand, permutation: [Int]) {
    extraOrigins.append((old, new, permutation))
  }
}

extension ValueID {
  /// This value as an operand of a rewrite.
  public var operand: Rewrite.Operand { .existing(self) }
}

extension Graph {
  /// What an applied rewrite did.
  public struct AppliedRewrite: Sendable {
    public var added: [NodeID]
    /// Older nodes whose operands changed or whose outputs are read by other nodes than before.
    public var neighbours: [NodeID]
    public var record: RewriteRecord
  }

  /// Performs `rewrite`. On error the graph may be partly changed and must be dropped.
  public mutating func apply(_ rewrite: Rewrite, pass: String) throws(GraphError) -> AppliedRewrite {
    var created: [Int: ValueID] = [:]
    func resolve(_ operand: Rewrite.Operand) -> ValueID {
      switch operand {
      case .existing(let id): return id
      case .new(let index):
        guard let id = created[index] else { preconditionFailure("operand used before it was made") }
        return id
      }
    }
    let before = rewrite.removed.map { describe(node($0)) }
    var neighbours: [NodeID] = []
    for id in rewrite.removed { neighbours += producers(for: node(id)) }
    for (old, _) in rewrite.replacements { neighbours += value(old).consumers }
    let constants = rewrite.constantValues
    var added: [NodeID] = []
    for (index, step) in rewrite.steps.enumerated() {
      switch step {
      case .constant(let name, let tensor):
        if let value = constants[index] { created[value] = addConstant(name, tensor) }
      case .node(let op, let name, let inputs, let outputs, let outputNames):
        let ids = try add(
          op, name: name, inputs: inputs.map { $0.map(resolve) }, outputNames: outputNames)
        guard ids.count == outputs.count else {
          throw GraphError(
            node: name, op: op.name,
            message: "pass '\(pass)' expected \(outputs.count) outputs, inferred \(ids.count)")
        }
        for (output, id) in zip(outputs, ids) { created[output] = id }
        if let producer = ids.first.flatMap({ value($0).producer }) { added.append(producer) }
      }
    }
    var origins: [String] = []
    for (old, operand, permutation) in rewrite.extraOrigins {
      let new = resolve(operand)
      addOrigins(inheritedOrigins(of: old, by: new, permutation), to: new)
    }
    for (old, operand) in rewrite.replacements {
      let new = resolve(operand)
      guard type(of: old) == type(of: new) else {
        let owner = producer(of: old)
        throw GraphError(
          node: owner?.name ?? value(old).name, op: owner?.op.name ?? "value",
          message: "pass '\(pass)' replaced \(type(of: old)) by \(type(of: new))")
      }
      origins += value(old).origins.map(\.name)
      addOrigins(value(old).origins, to: new)
      let name = value(old).name
      replaceUses(of: old, with: new)
      if case .new = operand, !value(new).isConstant { rename(new, to: name) }
      if value(old).isConstant && value(old).useCount == 0 { removeConstant(old) }
    }
    let after = added.map { describe(node($0)) }
    for id in added { neighbours += producers(for: node(id)) }
    try remove(all: rewrite.removed, pass: pass)
    var seen = Set(added)
    neighbours = neighbours.filter { contains($0) && seen.insert($0).inserted }
    return AppliedRewrite(
      added: added, neighbours: neighbours,
      record: RewriteRecord(
        pass: pass, before: before, after: after, origins: origins, exactness: rewrite.exactness))
  }

  /// The sources of `old` as seen from `new`, where `Transpose(new, permutation)` is `old` up to unit axes.
  private func inheritedOrigins(of old: ValueID, by new: ValueID, _ permutation: [Int]) -> [Origin] {
    let shape = type(of: new).shape
    // Without a permutation the unit axes may be elsewhere, and a permutation of old's axes would mean others.
    let sameAxes = !permutation.isEmpty || shape == type(of: old).shape
    return value(old).origins.filter { sameAxes || $0.permutation.isEmpty }
      .map { $0.composed(before: permutation).simplified(for: shape) }
  }

  private func describe(_ node: Node) -> String { "\(node.name) (\(node.op.name))" }

  private func producers(for node: Node) -> [NodeID] {
    node.inputs.compactMap { $0.flatMap { value($0).producer } }
  }

  /// Removes `nodes` consumers first; constants that nobody reads any more go with them.
  private mutating func remove(all nodes: [NodeID], pass: String) throws(GraphError) {
    var pending = nodes
    while !pending.isEmpty {
      let blocked = pending.filter { id in
        node(id).outputs.contains { value($0).useCount > 0 }
      }
      let isBlocked = Set(blocked)
      guard blocked.count < pending.count else {
        let node = node(blocked[0])
        throw GraphError(
          node: node.name, op: node.op.name, message: "pass '\(pass)' removed a node that is still read")
      }
      for id in pending where !isBlocked.contains(id) {
        let inputs = Set(node(id).inputs.compactMap { $0 })
        remove(id)
        for input in inputs.sorted() where value(input).isConstant && value(input).useCount == 0 {
          removeConstant(input)
        }
      }
      pending = blocked
    }
  }
}

extension Origin {
  /// The origin of x when `Transpose(x, permutation)` has origin `self`.
  func composed(before permutation: [Int]) -> Origin {
    guard !permutation.isEmpty else { return self }
    let composed = self.permutation.isEmpty ? permutation : self.permutation.map { permutation[$0] }
    let isIdentity = composed == Array(composed.indices)
    return Origin(name, permutation: isIdentity ? [] : composed)
  }

  /// This origin of a value of `shape`: without the permutation where that moves unit axes only.
  func simplified(for shape: [Int]) -> Origin {
    let moved = permutation.filter { shape[$0] != 1 }
    return moved == moved.sorted() ? Origin(name) : self
  }
}
