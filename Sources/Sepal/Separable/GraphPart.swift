import SepalGraph
import SepalTensor

/// Nodes of a graph as a graph of their own, for what they cost: what they read from elsewhere are its inputs.
enum GraphPart {
  /// Nil where the nodes depend on each other through others.
  static func nodes(_ nodes: [NodeID], of graph: Graph) -> Graph? {
    var builder = PartBuilder(graph)
    var pending = nodes
    let own = Set(nodes)
    while !pending.isEmpty {
      // Few nodes, in any order.
      let isReady = { (id: NodeID) in
        graph.node(id).inputs.allSatisfy { input in
          guard let producer = graph.producer(of: input) else { return true }
          return !pending.contains(producer.id)
        }
      }
      guard let place = pending.firstIndex(where: isReady) else { return nil }
      let node = graph.node(pending.remove(at: place))
      guard builder.add(node.op, node.name, node.inputs.map { $0?.operand }, outputs: node.outputs) else {
        return nil
      }
    }
    for id in nodes.flatMap({ graph.node($0).outputs }) {
      let value = graph.value(id)
      if value.isGraphOutput || value.consumers.contains(where: { !own.contains($0) }) {
        builder.addOutput(id.operand)
      }
    }
    return builder.part
  }

  /// What a rewrite makes.
  static func made(by rewrite: Rewrite, in graph: Graph) -> Graph? {
    var builder = PartBuilder(graph)
    for value in rewrite.newValues {
      switch value {
      case .constant(let value, let name, let tensor): builder.addConstant(value, name, tensor)
      case .node(let op, let name, let inputs, let values):
        guard builder.add(op, name, inputs, values: values) else { return nil }
      }
    }
    for (_, new) in rewrite.replacements { builder.addOutput(new) }
    return builder.part
  }
}

private struct PartBuilder {
  private(set) var part = Graph(name: "part")
  private let graph: Graph
  private var known: [Rewrite.Operand: ValueID] = [:]
  private var outputs: Set<ValueID> = []

  init(_ graph: Graph) { self.graph = graph }

  mutating func addConstant(_ value: Int, _ name: String, _ tensor: Tensor) {
    known[.new(value)] = part.addConstant(name, tensor)
  }

  mutating func add(_ op: any Operator, _ name: String, _ inputs: [Rewrite.Operand?], values: [Int]) -> Bool {
    add(op, name, inputs, results: values.map { .new($0) })
  }

  mutating func add(
    _ op: any Operator, _ name: String, _ inputs: [Rewrite.Operand?], outputs: [ValueID]
  ) -> Bool {
    add(op, name, inputs, results: outputs.map(\.operand))
  }

  mutating func addOutput(_ operand: Rewrite.Operand) {
    guard let id = known[operand], outputs.insert(id).inserted else { return }
    part.addOutput("y\(part.outputs.count)", id)
  }

  private mutating func add(
    _ op: any Operator, _ name: String, _ inputs: [Rewrite.Operand?], results: [Rewrite.Operand]
  ) -> Bool {
    var operands: [ValueID?] = []
    for input in inputs { operands.append(input.flatMap { value($0) }) }
    guard let made = try? part.add(op, name: name, inputs: operands), made.count == results.count else {
      return false
    }
    for (result, id) in zip(results, made) { known[result] = id }
    return true
  }

  private mutating func value(_ operand: Rewrite.Operand) -> ValueID? {
    if let id = known[operand] { return id }
    guard case .existing(let outside) = operand else { return nil }
    let value = graph.value(outside)
    let id =
      value.constant.map { part.addConstant(value.name, $0) }
      ?? part.addInput("x\(part.inputs.count)", value.type)
    known[operand] = id
    return id
  }
}
