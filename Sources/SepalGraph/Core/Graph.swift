import SepalTensor

public struct ValueID: Hashable, Sendable, Comparable {
  public let index: Int
  public static func < (lhs: ValueID, rhs: ValueID) -> Bool { lhs.index < rhs.index }
}

public struct NodeID: Hashable, Sendable, Comparable {
  public let index: Int
  public static func < (lhs: NodeID, rhs: NodeID) -> Bool { lhs.index < rhs.index }
}

/// A source tensor that a value stands for.
public struct Origin: Hashable, Sendable {
  /// The tensor's name in the source file.
  public var name: String
  /// Empty when the value has the source's axis order (up to unit dimensions); otherwise
  /// `Transpose(value, permutation)` has it.
  public var permutation: [Int]

  public init(_ name: String, permutation: [Int] = []) {
    self.name = name
    self.permutation = permutation
  }
}

/// One edge of the graph: an input, a constant, or a node's output.
public struct Value: Sendable {
  public let id: ValueID
  public var name: String
  public internal(set) var type: TensorType
  /// Set for constants, which have no producer, unless their elements were discarded.
  public internal(set) var constant: Tensor?
  /// Whether this is a constant of which only name and type are left: see `Graph.discardElements(of:)`.
  public internal(set) var isDiscarded = false
  public var origins: [Origin]
  public internal(set) var producer: NodeID?
  /// Number of operand slots per consuming node.
  internal var uses: [NodeID: Int] = [:]
  internal var outputUses = 0

  /// Operand slots and graph outputs that read this value.
  public internal(set) var useCount = 0
  public var isGraphOutput: Bool { outputUses > 0 }
  public var isConstant: Bool { constant != nil || isDiscarded }
  /// Consuming nodes, ascending by id.
  public var consumers: [NodeID] { uses.keys.sorted() }
}

/// One application of an operator.
public struct Node: Sendable {
  public let id: NodeID
  public var name: String
  public internal(set) var op: any Operator
  /// Nil marks an absent optional operand.
  public internal(set) var inputs: [ValueID?]
  public internal(set) var outputs: [ValueID]

  /// The operator as `type`, or nil when it is another one.
  public func op<Op: Operator>(as type: Op.Type) -> Op? { op as? Op }

  /// The id of operand `index`; nil when absent.
  public func input(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }

  /// The only (or first) output.
  public var output: ValueID { outputs[0] }
}

/// A dataflow graph over static shapes: a value, acyclic by construction, checked by `verify()`.
///
/// Values and nodes are addressed by ids that stay valid until the value or node is removed.
/// Every mutation keeps producers and use lists consistent; cost per mutation does not grow with the graph.
public struct Graph: Sendable {
  public struct Output: Sendable, Hashable {
    public var name: String
    public var value: ValueID
  }

  public var name: String
  public private(set) var inputs: [ValueID] = []
  public private(set) var outputs: [Output] = []
  public var provenance = Provenance()

  private var valueSlots = Slots<Value>()
  private var nodeSlots = Slots<Node>()
  public var nodeCount: Int { nodeSlots.count }

  public init(name: String = "") { self.name = name }

  public func value(_ id: ValueID) -> Value { valueSlots[id.index] }
  public func node(_ id: NodeID) -> Node { nodeSlots[id.index] }

  /// One past the highest index that the id of a value has.
  var endOfValueIDs: Int { valueSlots.end }
  /// One past the highest index that the id of a node has.
  package var endOfNodeIDs: Int { nodeSlots.end }

  public func contains(_ id: NodeID) -> Bool { nodeSlots.contains(id.index) }
  public func contains(_ id: ValueID) -> Bool { valueSlots.contains(id.index) }

  public func type(of id: ValueID) -> TensorType { valueSlots[id.index].type }
  public func constant(_ id: ValueID?) -> Tensor? { id.flatMap { valueSlots[$0.index].constant } }
  /// Operand slots and graph outputs that read `id`.
  public func useCount(of id: ValueID) -> Int { valueSlots[id.index].useCount }

  /// Operand slots of `node` that read `id`, as the use list has it.
  func uses(of id: ValueID, by node: NodeID) -> Int { valueSlots[id.index].uses[node] ?? 0 }

  /// The node that computes `id`; nil for inputs and constants.
  public func producer(of id: ValueID?) -> Node? {
    guard let id, let producer = valueSlots[id.index].producer else { return nil }
    return nodeSlots[producer.index]
  }

  /// The producer of `id` when it is an `Op` and nothing else reads `id`.
  public func soleProducer<Op: Operator>(of id: ValueID?, as type: Op.Type) -> (node: Node, op: Op)? {
    guard let id, valueSlots[id.index].useCount == 1, let producer = valueSlots[id.index].producer,
      let op = nodeSlots[producer.index].op as? Op
    else { return nil }
    return (nodeSlots[producer.index], op)
  }

  /// The only consumer of `id` when `id` is read once and is not a graph output.
  public func soleConsumer(of id: ValueID) -> Node? {
    let slot = id.index
    guard valueSlots[slot].useCount == 1, let consumer = valueSlots[slot].uses.keys.first else { return nil }
    return nodeSlots[consumer.index]
  }

  public func inputTypes(of node: Node) -> Inputs<TensorType> {
    Inputs(node.inputs.map { $0.map { type(of: $0) } })
  }

  /// Living values, ascending by id.
  public var values: [Value] { valueSlots.indices.map { valueSlots[$0] } }

  /// Living nodes in topological order. Linear time; stable: producers come right before their first
  /// consumer unless already earlier by id.
  public var nodes: [Node] { topologicalOrder().map { node($0) } }

  public func topologicalOrder() -> [NodeID] {
    var order: [NodeID] = []
    order.reserveCapacity(nodeCount)
    var isKnown = [Bool](repeating: false, count: nodeSlots.end)
    /// Nodes whose operands are being followed, and which operand comes next.
    var stack: [(id: NodeID, next: Int)] = []
    for root in nodeSlots.indices where !isKnown[root] {
      stack.append((NodeID(index: root), 0))
      isKnown[root] = true
      while let (id, next) = stack.last {
        guard next < nodeSlots[id.index].inputs.count else {
          stack.removeLast()
          order.append(id)
          continue
        }
        stack[stack.count - 1].next += 1
        if let input = nodeSlots[id.index].inputs[next], contains(input),
          let producer = valueSlots[input.index].producer, !isKnown[producer.index]
        {
          isKnown[producer.index] = true
          stack.append((producer, 0))
        }
      }
    }
    return order
  }

  @discardableResult
  public mutating func addInput(_ name: String, _ type: TensorType) -> ValueID {
    let id = newValue(name, type, origins: [Origin(name)])
    inputs.append(id)
    return id
  }

  public mutating func addConstant(_ name: String, _ tensor: Tensor, origins: [Origin] = []) -> ValueID {
    let id = newValue(name, tensor.type, origins: origins)
    valueSlots[id.index].constant = tensor
    return id
  }

  public mutating func addOutput(_ name: String, _ value: ValueID) {
    outputs.append(Output(name: name, value: value))
    valueSlots[value.index].outputUses += 1
    valueSlots[value.index].useCount += 1
  }

  /// Appends a node and infers its outputs' types. Output names default to the node's name.
  /// Absent operands at the end are dropped, so that equal nodes look equal.
  @discardableResult
  public mutating func add(
    _ op: any Operator, name: String, inputs: [ValueID?], outputNames: [String] = []
  ) throws(GraphError) -> [ValueID] {
    let inputs = Array(inputs.prefix((inputs.lastIndex { $0 != nil } ?? -1) + 1))
    let types: [TensorType]
    do throws(OperatorError) {
      try Swift.type(of: op).schema.checkArity(inputs.map { $0 != nil })
      types = try op.inferOutputs(Inputs(inputs.map { $0.map { self.type(of: $0) } }))
    } catch {
      throw GraphError(node: name, op: op.name, message: error.message)
    }
    for type in types {
      guard type.rank <= TensorType.maximumRank,
        let count = TensorType.checkedCount(type.shape, elementSize: type.element.size),
        count <= TensorType.maximumByteCount / type.element.size
      else {
        throw GraphError(node: name, op: op.name, message: "the output \(type) is too large")
      }
    }
    let id = NodeID(index: nodeSlots.end)
    let outputs = types.enumerated().map { index, type in
      let fallback = index == 0 ? name : "\(name):\(index)"
      return newValue(index < outputNames.count ? outputNames[index] : fallback, type, origins: [])
    }
    for output in outputs { valueSlots[output.index].producer = id }
    nodeSlots.append(Node(id: id, name: name, op: op, inputs: inputs, outputs: outputs))
    for input in inputs { addUse(of: input, by: id) }
    return outputs
  }

  public mutating func rename(_ id: ValueID, to name: String) { valueSlots[id.index].name = name }

  public mutating func addOrigins(_ origins: [Origin], to id: ValueID) {
    guard origins.count > 8 else {
      for origin in origins where !valueSlots[id.index].origins.contains(origin) {
        valueSlots[id.index].origins.append(origin)
      }
      return
    }
    var known = Set(valueSlots[id.index].origins)
    for origin in origins where known.insert(origin).inserted { valueSlots[id.index].origins.append(origin) }
  }

  /// Makes every reader of `old`, graph outputs included, read `new`.
  public mutating func replaceUses(of old: ValueID, with new: ValueID) {
    guard old != new else { return }
    for consumer in value(old).consumers {
      let count = valueSlots[old.index].uses.removeValue(forKey: consumer) ?? 0
      for index in node(consumer).inputs.indices where nodeSlots[consumer.index].inputs[index] == old {
        nodeSlots[consumer.index].inputs[index] = new
      }
      valueSlots[new.index].uses[consumer, default: 0] += count
      valueSlots[new.index].useCount += count
      valueSlots[old.index].useCount -= count
    }
    if value(old).isGraphOutput {
      for index in outputs.indices where outputs[index].value == old { outputs[index].value = new }
      let count = value(old).outputUses
      valueSlots[new.index].outputUses += count
      valueSlots[new.index].useCount += count
      valueSlots[old.index].outputUses = 0
      valueSlots[old.index].useCount -= count
    }
  }

  /// Removes a node whose outputs nobody reads, with those outputs.
  public mutating func remove(_ id: NodeID) {
    let removed = node(id)
    for output in removed.outputs {
      precondition(value(output).useCount == 0, "'\(removed.name)' still has readers")
      remove(output)
    }
    for input in removed.inputs { removeUse(of: input, by: id) }
    let remains = Node(id: id, name: "", op: Identity(), inputs: [], outputs: [])
    nodeSlots.remove(id.index, leaving: remains)
  }

  /// Removes an unread constant.
  public mutating func removeConstant(_ id: ValueID) {
    precondition(value(id).isConstant && value(id).useCount == 0)
    remove(id)
  }

  /// Gives a constant other elements of the same type.
  package mutating func replaceElements(of constant: ValueID, by tensor: Tensor) {
    precondition(value(constant).constant?.type == tensor.type)
    valueSlots[constant.index].constant = tensor
  }

  /// Lets go of the elements of constants; their names, types and readers stay. Such a graph can still be looked at, but it
  /// does not verify: it cannot be evaluated, planned or stored any more.
  public mutating func discardElements(of constants: some Sequence<ValueID>) {
    for id in constants where value(id).isConstant {
      valueSlots[id.index].constant = nil
      valueSlots[id.index].isDiscarded = true
    }
  }

  /// Removes every constant that nobody reads. Linear in the graph.
  public mutating func removeUnreadConstants() {
    for value in values where value.isConstant && value.useCount == 0 { remove(value.id) }
  }

  /// The remains keep no reference to a constant's storage.
  private mutating func remove(_ id: ValueID) {
    let remains = Value(id: id, name: "", type: type(of: id), constant: nil, origins: [], producer: nil)
    valueSlots.remove(id.index, leaving: remains)
  }

  private mutating func newValue(_ name: String, _ type: TensorType, origins: [Origin]) -> ValueID {
    let id = ValueID(index: valueSlots.end)
    valueSlots.append(Value(id: id, name: name, type: type, constant: nil, origins: origins, producer: nil))
    return id
  }

  private mutating func addUse(of value: ValueID?, by node: NodeID) {
    guard let value else { return }
    valueSlots[value.index].uses[node, default: 0] += 1
    valueSlots[value.index].useCount += 1
  }

  private mutating func removeUse(of value: ValueID?, by node: NodeID) {
    guard let value, let count = valueSlots[value.index].uses[node] else { return }
    valueSlots[value.index].uses[node] = count == 1 ? nil : count - 1
    valueSlots[value.index].useCount -= 1
  }
}

/// Why a node could not be added, changed or evaluated.
public struct GraphError: Error, Sendable, Hashable, CustomStringConvertible {
  public var node: String
  public var op: String
  public var message: String

  public init(node: String, op: String, message: String) {
    self.node = node
    self.op = op
    self.message = message
  }

  public var description: String { "node '\(node)' (\(op)): \(message)" }
}
