import SepalGraph
import SepalTensor

/// What a rewrite is about, cut out of its graph: the nodes that go and those that come, side by side, with as much of the
/// graph before them as is asked for. Where the cut goes through an edge there is an input.
struct RewriteSite {
  /// Its outputs come in pairs: what a replaced value was, and what it becomes.
  private(set) var graph = Graph()
  /// Nodes of the graph before the rewrite that are here.
  private(set) var nodes: [NodeID]
  /// Constants that the rewrite makes, as they are called in `graph`.
  private(set) var newConstants: [ValueID] = []
  /// Values of the whole graph that are inputs here, in the order of the inputs.
  private(set) var cutValues: [ValueID] = []
  private var copies: [ValueID: ValueID] = [:]

  /// The names of the outputs of pair `index`.
  static func names(ofPair index: Int) -> (old: String, new: String) { ("old \(index)", "new \(index)") }

  /// - Parameters:
  ///   - nodes: of `whole`; those that the rewrite removes among them.
  ///   - shapes: of inputs, where they are not those of `whole`.
  /// - Throws: when an operator does not take these shapes.
  init(
    _ rewrite: Rewrite, in whole: Graph, nodes: Set<NodeID>, shapes: [ValueID: [Int]] = [:]
  ) throws(GraphError) {
    self.nodes = nodes.sorted()
    for id in Self.order(nodes, in: whole) { try copy(whole.node(id), whole, nodes, shapes) }
    for (_, operand) in rewrite.replacements {
      if case .existing(let id) = operand { add(id, whole, shapes) }
    }
    var made: [Int: ValueID] = [:]
    for step in rewrite.newValues {
      switch step {
      case .constant(let value, let name, let tensor):
        let id = graph.addConstant(name, tensor)
        made[value] = id
        newConstants.append(id)
      case .node(let op, let name, let operands, let values):
        let inputs = operands.map { operand in
          operand.flatMap { operand -> ValueID? in
            switch operand {
            case .existing(let id): add(id, whole, shapes)
            case .new(let value): made[value]
            }
          }
        }
        let outputs = try graph.add(op, name: name, inputs: inputs)
        for (value, output) in zip(values, outputs) { made[value] = output }
      }
    }
    for (index, pair) in rewrite.replacements.enumerated() {
      let replacement: ValueID?
      switch pair.new {
      case .existing(let id): replacement = copies[id]
      case .new(let value): replacement = made[value]
      }
      let names = Self.names(ofPair: index)
      guard let replacement else { continue }
      graph.addOutput(names.old, add(pair.old, whole, shapes))
      graph.addOutput(names.new, replacement)
    }
  }

  private mutating func copy(
    _ node: Node, _ whole: Graph, _ nodes: Set<NodeID>, _ shapes: [ValueID: [Int]]
  ) throws(GraphError) {
    let inputs = node.inputs.map { input in input.map { add($0, whole, shapes) } }
    let outputs = try graph.add(node.op, name: node.name, inputs: inputs)
    for (old, new) in zip(node.outputs, outputs) { copies[old] = new }
  }

  /// The copy of a value; an input or a constant unless it was computed before.
  @discardableResult
  private mutating func add(_ id: ValueID, _ whole: Graph, _ shapes: [ValueID: [Int]]) -> ValueID {
    if let copy = copies[id] { return copy }
    let value = whole.value(id)
    let copy: ValueID
    if let constant = value.constant {
      copy = graph.addConstant(value.name, constant)
    } else {
      copy = graph.addInput(
        "\(id.index)", TensorType(value.type.element, shapes[id] ?? value.type.shape))
      cutValues.append(id)
    }
    copies[id] = copy
    return copy
  }

  /// `nodes` with producers before their readers.
  private static func order(_ nodes: Set<NodeID>, in whole: Graph) -> [NodeID] {
    var order: [NodeID] = []
    var isKnown: Set<NodeID> = []
    for root in nodes.sorted() where isKnown.insert(root).inserted {
      var stack: [(id: NodeID, next: Int)] = [(root, 0)]
      while let (id, next) = stack.last {
        let inputs = whole.node(id).inputs
        guard next < inputs.count else {
          order.append(id)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        if let producer = whole.producer(of: inputs[next])?.id, nodes.contains(producer),
          isKnown.insert(producer).inserted
        {
          stack.append((producer, 0))
        }
      }
    }
    return order
  }
}

extension RewriteSite {
  /// What a rewrite that is legal makes true.
  var pairsHaveOneType: Bool {
    stride(from: 0, to: graph.outputs.count, by: 2).allSatisfy { index in
      graph.type(of: graph.outputs[index].value) == graph.type(of: graph.outputs[index + 1].value)
    }
  }

  /// The nodes without which a rewrite means nothing: those that it removes and those that make what it replaces.
  static func core(of rewrite: Rewrite, in whole: Graph) -> Set<NodeID> {
    Set(rewrite.removedNodes).union(rewrite.replacements.compactMap { whole.producer(of: $0.old)?.id })
  }

  /// `nodes` and the producers of what they and the rewrite read. Where the rewrite makes weights, only those that move
  /// elements about: others could hide a wrong weight, as a unit that is shut does.
  static func widened(_ nodes: Set<NodeID>, for rewrite: Rewrite, in whole: Graph) -> Set<NodeID> {
    var read = nodes.flatMap { whole.node($0).inputs.compactMap { $0 } }
    read += rewrite.existingOperands
    let producers = read.compactMap { whole.producer(of: $0) }
    let makesWeights = rewrite.newValues.contains { value in
      if case .constant(_, _, let tensor) = value { tensor.element.isFloat } else { false }
    }
    return nodes.union(producers.filter { !makesWeights || $0.op.onlyMovesElements }.map(\.id))
  }
}

extension Operator {
  fileprivate var onlyMovesElements: Bool {
    self is Transpose || self is Reshape || self is Split || self is Slice || self is Concat
      || self is Identity
  }
}
