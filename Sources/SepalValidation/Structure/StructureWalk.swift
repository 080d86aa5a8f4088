import SepalGraph
import SepalTensor

/// Follows two graphs from their outputs to their inputs in step, pairing each node with its counterpart.
///
/// Where nodes differ, the walk looks a few steps ahead for a place from which on the graphs agree again, so that
/// a node too many in one of them is one difference and not one for every node before it.
struct StructureWalk {
  private struct Pair: Hashable {
    var first: ValueID
    var second: ValueID
  }

  /// How far the walk looks ahead.
  private static let reach = 8

  private let first: Graph
  private let second: Graph
  private let firstHashes: StructureHashes
  private let secondHashes: StructureHashes
  private var pending: [Pair] = []
  private var seen: Set<Pair> = []
  private var counterparts: [NodeID: NodeID] = [:]
  private var taken: Set<NodeID> = []
  private var found: [(place: ValueID?, difference: StructureComparison.Difference)] = []
  /// Counterparts of equal type, once each.
  private(set) var constantPairs: [(first: ValueID, second: ValueID)] = []
  private(set) var commonNodeCount = 0

  init(_ first: Graph, _ second: Graph) {
    (self.first, self.second) = (first, second)
    firstHashes = StructureHashes(first)
    secondHashes = StructureHashes(second)
  }

  mutating func run() {
    for (what, counts) in [
      ("inputs", (first.inputs.count, second.inputs.count)),
      ("outputs", (first.outputs.count, second.outputs.count)),
    ] where counts.0 != counts.1 {
      report("the models have \(counts.0) and \(counts.1) \(what)")
    }
    for (a, b) in zip(first.inputs, second.inputs) where first.type(of: a) != second.type(of: b) {
      report("the inputs have different types", [a], [b])
    }
    for (a, b) in zip(first.outputs, second.outputs).reversed() {
      pending.append(Pair(first: a.value, second: b.value))
    }
    while let pair = pending.popLast() {
      if seen.insert(pair).inserted { visit(pair.first, pair.second) }
    }
  }

  /// In execution order of the first graph; what concerns none of its nodes comes first.
  func differencesInOrder() -> [StructureComparison.Difference] {
    var positions: [NodeID: Int] = [:]
    for (index, id) in first.topologicalOrder().enumerated() { positions[id] = index }
    return found.enumerated().map { index, entry in
      (first.producer(of: entry.place).flatMap { positions[$0.id] } ?? -1, index, entry.difference)
    }
    .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    .map { $0.2 }
  }

  private mutating func visit(_ a: ValueID, _ b: ValueID) {
    if let node = first.producer(of: a), let other = second.producer(of: b) {
      visit(node, other, a, b)
    } else if first.value(a).isConstant, second.value(b).isConstant {
      if first.type(of: a) == second.type(of: b) {
        constantPairs.append((a, b))
      } else {
        report("the constants have different types", [a], [b])
      }
    } else if first.isInput(a), second.isInput(b) {
      if firstHashes[a] != secondHashes[b] { report("different inputs are read", [a], [b]) }
    } else if !resume(a, b, inStep: true) {
      report("one is computed, the other is not", [a], [b])
    }
  }

  private mutating func visit(_ node: Node, _ other: Node, _ a: ValueID, _ b: ValueID) {
    if let counterpart = counterparts[node.id] {
      guard counterpart != other.id || node.outputs.firstIndex(of: a) != other.outputs.firstIndex(of: b)
      else { return }
      report("the first model uses one result in several places where the second uses several", [a], [b])
      return
    }
    guard !taken.contains(other.id) else {
      report("the second model uses one result in several places where the first uses several", [a], [b])
      return
    }
    var messages = localDifferences(node, other)
    if node.outputs.firstIndex(of: a) != other.outputs.firstIndex(of: b) {
      messages.append("different outputs are used")
    }
    let operands = pairedOperands(node, other)
    if messages.isEmpty {
      commonNodeCount += 1
    } else {
      if resume(a, b, inStep: operands.isEmpty) { return }
      report(messages.joined(separator: ", "), [a], [b])
    }
    counterparts[node.id] = other.id
    taken.insert(other.id)
    // Constants of different types were told with the node that reads them.
    pending += operands.reversed().filter {
      !first.value($0.first).isConstant || !second.value($0.second).isConstant || belong($0)
    }
  }

  /// What differs about two nodes themselves.
  private func localDifferences(_ node: Node, _ other: Node) -> [String] {
    guard type(of: node.op) == type(of: other.op) else {
      return ["the operators are \(node.op.name) and \(other.op.name)"]
    }
    var messages = node.op.attributeDifferences(from: other.op)
    let schema = type(of: node.op).schema
    for index in 0..<max(node.inputs.count, other.inputs.count) {
      let (x, y) = (node.input(index), other.input(index))
      let name = schema.input(at: index)?.name ?? "\(index)"
      switch (x, y) {
      case (let x?, let y?):
        guard first.value(x).isConstant, second.value(y).isConstant else { continue }
        let (mine, theirs) = (first.type(of: x), second.type(of: y))
        if mine != theirs { messages.append("the operand '\(name)' is \(mine) and \(theirs)") }
      case (nil, nil): continue
      default: messages.append("only one has the operand '\(name)'")
      }
    }
    return messages
  }

  /// The operands that belong together: by position, or by structure where the order does not matter. Of
  /// different operators, those that depend on inputs, when they are as many.
  private func pairedOperands(_ node: Node, _ other: Node) -> [Pair] {
    guard type(of: node.op) == type(of: other.op) else {
      let mine = node.inputs.compactMap { $0 }.filter { !first.value($0).isConstant }
      let theirs = other.inputs.compactMap { $0 }.filter { !second.value($0).isConstant }
      guard mine.count == theirs.count else { return [] }
      return zip(mine, theirs).map { Pair(first: $0, second: $1) }
    }
    var pairs: [Pair] = []
    for case (let mine?, let theirs?) in zip(node.inputs, other.inputs) {
      pairs.append(Pair(first: mine, second: theirs))
    }
    if node.op.isCommutative, pairs.count == 2, !pairs.contains(where: belong) {
      let swapped = [
        Pair(first: pairs[0].first, second: pairs[1].second),
        Pair(first: pairs[1].first, second: pairs[0].second),
      ]
      if swapped.contains(where: belong) { return swapped }
    }
    return pairs
  }

  private func belong(_ pair: Pair) -> Bool {
    switch (first.value(pair.first).isConstant, second.value(pair.second).isConstant) {
    case (true, true): first.type(of: pair.first) == second.type(of: pair.second)
    case (false, false): firstHashes[pair.first] == secondHashes[pair.second]
    default: false
    }
  }

  /// Skips what only one graph has, or each has instead of the other, up to where they are the same again.
  /// - Parameter inStep: also when as much is skipped in both, where node by node would tell more.
  private mutating func resume(_ a: ValueID, _ b: ValueID, inStep: Bool) -> Bool {
    let (mine, theirs) = (chain(from: a, in: first), chain(from: b, in: second))
    var places: [Int: Int] = [:]
    for (index, id) in theirs.enumerated() where places[secondHashes[id]] == nil {
      places[secondHashes[id]] = index
    }
    var best: (Int, Int)?
    for (index, id) in mine.enumerated() {
      guard let place = places[firstHashes[id]], index + place < (best.map { $0.0 + $0.1 } ?? .max) else {
        continue
      }
      best = (index, place)
    }
    guard let (i, j) = best, i != j || i > 0 && inStep else { return false }
    let message =
      j == 0
      ? "only the first model has this" : i == 0 ? "only the second model has this" : "one has this instead"
    report(message, mine[..<i].reversed(), theirs[..<j].reversed(), at: mine[max(i - 1, 0)])
    pending.append(Pair(first: mine[i], second: theirs[j]))
    return true
  }

  /// `id`, what it is mainly computed from, and so on towards the inputs.
  private func chain(from id: ValueID, in graph: Graph) -> [ValueID] {
    var chain = [id]
    while chain.count <= Self.reach, let node = graph.producer(of: chain[chain.count - 1]),
      let next = node.inputs.lazy.compactMap({ $0 }).first(where: { !graph.value($0).isConstant })
    {
      chain.append(next)
    }
    return chain
  }

  private mutating func report(
    _ message: String, _ mine: [ValueID] = [], _ theirs: [ValueID] = [], at place: ValueID? = nil
  ) {
    found.append(
      (
        place ?? mine.first,
        StructureComparison.Difference(
          message: message, first: mine.map(first.site), second: theirs.map(second.site))
      ))
  }
}

extension Graph {
  fileprivate func isInput(_ id: ValueID) -> Bool { value(id).producer == nil && !value(id).isConstant }
}
