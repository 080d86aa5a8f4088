import SepalGraph
import SepalTensor

/// Nodes that are to run on their operands in another axis order, and what that costs and saves in transposes.
///
/// Transposes in front of the nodes go where nobody else reads them; operands that were not transposed become so;
/// transposes behind the nodes are composed with the new order, which cancels some; readers that need the old order
/// get a transpose.
struct LayoutFlip {
  /// Where a flipped node takes an operand from.
  enum Source: Hashable {
    /// A value of the graph as it is.
    case existing(ValueID)
    /// The new form of a result of an earlier node of the flip.
    case flipped(ValueID)
    /// A value of the graph, given unit axes in front up to `shape`, transposed, and freed of unit axes down to `rank`.
    case moved(ValueID, shape: [Int], Permutation, rank: Int)

    /// The value of the graph that is read; nil for one that the flip makes.
    var value: ValueID? {
      switch self {
      case .existing(let value), .moved(let value, _, _, _): value
      case .flipped: nil
      }
    }
  }

  struct Step {
    let node: Node
    let commutation: Commutation
    let sources: [Source?]
  }

  /// What becomes of the readers of one result that are not part of the flip.
  struct Readers {
    /// Transposes, each with the transposition of the new form that equals it.
    var transposes: [(node: Node, order: Permutation)] = []
    /// Somebody reads the result itself.
    var needOldOrder = false
  }

  /// Nodes that are flipped together at most.
  private static let groupLimit = 16

  let graph: Graph
  let members: Set<NodeID>
  private let lifted: (node: NodeID, order: Permutation)?
  private(set) var steps: [Step] = []
  /// For each result, the order in which its new form has to be transposed to equal it.
  private(set) var orders: [ValueID: Permutation] = [:]
  private(set) var readers: [ValueID: Readers] = [:]
  /// Transposes in front of the nodes that only the nodes read.
  private(set) var dying: [NodeID] = []
  /// Transposes that come in front of the nodes.
  private var addedBefore = 0
  /// Transposes that come behind the nodes, for readers of the old order.
  private var addedAfter = 0
  /// Transposes that read the results now.
  private var behind = 0
  /// What is left of those when they are composed with the new order.
  private var composed = 0
  private var mergesAxes = false

  /// Moves transposes in front of `nodes` behind them, and, where the order of one node's results is given, transposes
  /// behind that one in front of it. Nil when a node does not commute.
  init?(_ nodes: [Node], lifting lifted: (node: NodeID, order: Permutation)? = nil, in graph: Graph) {
    self.graph = graph
    self.lifted = lifted
    members = Set(nodes.map(\.id))
    var pending = nodes
    while !pending.isEmpty {
      let waiting = Set(pending.map(\.id))
      let (ready, blocked) = pending.reduce(into: ([Node](), [Node]())) { parts, node in
        let waits = node.inputs.contains { input in
          input.flatMap { graph.value($0).producer }.map(waiting.contains) ?? false
        }
        if waits { parts.1.append(node) } else { parts.0.append(node) }
      }
      for node in ready {
        let commutation =
          if let lifted, lifted.node == node.id {
            Commutation(node, results: lifted.order, of: graph)
          } else {
            sinkingCommutation(node)
          }
        guard let commutation, add(node, commutation) else { return nil }
      }
      pending = blocked
    }
    guard takeStock() else { return nil }
  }

  /// Fewer transposes than before.
  var isGain: Bool { dying.count + behind > addedBefore + addedAfter + composed }

  /// No more transposes than before, some of which were in front of the nodes and none of which are now. Reshapes that
  /// merge axes do not count: transposes rise above them, where they have more to merge with.
  var isDescent: Bool {
    addedBefore == 0 && !dying.isEmpty && addedAfter <= dying.count && composed <= behind && !mergesAxes
  }

  /// No more transposes than before, and none behind the nodes.
  var isAscent: Bool { addedAfter == 0 && addedBefore + composed <= dying.count + behind }

  var exactness: Exactness {
    steps.contains { $0.commutation.exactness == .reassociated } ? .reassociated : .exact
  }

  /// This flip, or else one of a group around its nodes, that is worth it: branches that meet again are no obstacle.
  ///
  /// The group grows by what reads its transposed operands and what needs its results in the old order.
  func grown(until isWorthwhile: (LayoutFlip) -> Bool) -> LayoutFlip? {
    if isWorthwhile(self) { return self }
    let nodes = steps.map(\.node)
    let room = Self.groupLimit - nodes.count
    let more = room > 0 ? neighbours().prefix(room) : []
    guard !more.isEmpty, let larger = LayoutFlip(nodes + more, lifting: lifted, in: graph) else {
      return nil
    }
    return larger.grown(until: isWorthwhile)
  }

  private func neighbours() -> [Node] {
    var found: [Node] = []
    func consider(_ value: ValueID, _ order: Permutation) {
      guard graph.value(value).useCount <= Graph.readerLimit else { return }
      for id in graph.value(value).consumers where !members.contains(id) {
        let reader = graph.node(id)
        guard !(reader.op is Transpose), !found.contains(where: { $0.id == id }),
          let index = reader.inputs.firstIndex(of: value),
          Commutation(reader, operand: index, in: order, of: graph) != nil
        else { continue }
        found.append(reader)
      }
    }
    for step in steps {
      for case let input? in step.node.inputs {
        if let transpose = graph.costlyTranspose(producing: input) { consider(input, transpose.permutation) }
      }
      for output in step.node.outputs {
        if let order = orders[output] { consider(output, order) }
      }
    }
    return found
  }

  /// The commutation with the order that most operands of `node` have.
  private func sinkingCommutation(_ node: Node) -> Commutation? {
    var votes: [(order: Permutation, index: Int, count: Int)] = []
    for (index, input) in node.inputs.enumerated() {
      guard let input, let order = orders[input] ?? graph.costlyTranspose(producing: input)?.permutation
      else {
        continue
      }
      if let known = votes.firstIndex(where: { $0.order == order }) {
        votes[known].count += 1
      } else {
        votes.append((order, index, 1))
      }
    }
    guard let winner = votes.max(by: { ($0.count, -$0.index) < ($1.count, -$1.index) }) else { return nil }
    return Commutation(node, operand: winner.index, in: winner.order, of: graph)
  }

  private mutating func add(_ node: Node, _ commutation: Commutation) -> Bool {
    var sources: [Source?] = []
    for (input, order) in zip(node.inputs, commutation.operands) {
      guard let input else {
        sources.append(nil)
        continue
      }
      guard let order else {
        guard orders[input] == nil else { return false }
        sources.append(.existing(input))
        continue
      }
      guard let source = source(of: input, in: order) else { return false }
      sources.append(source)
    }
    if let reshape = node.op(as: Reshape.self), let x = node.input(0) {
      mergesAxes = mergesAxes || ReshapeGroups(graph.type(of: x).shape, reshape.shape)?.merges ?? true
    }
    for (output, order) in zip(node.outputs, commutation.outputs) { orders[output] = order }
    steps.append(Step(node: node, commutation: commutation, sources: sources))
    return true
  }

  /// Where to find x′ such that x, seen with `order.rank` axes, is Transpose(x′, order).
  private func source(of x: ValueID, in order: Permutation) -> Source? {
    if let known = orders[x] { return known.extended(toRank: order.rank) == order ? .flipped(x) : nil }
    let shape = graph.type(of: x).shape
    let back = order.inverse
    if let transpose = graph.transpose(producing: x) {
      // A transpose between two nodes of the flip is behind one and in front of the other: not counted for here.
      guard !(graph.producer(of: transpose.source).map { members.contains($0.id) } ?? false) else {
        return nil
      }
      if transpose.permutation.extended(toRank: order.rank) == order { return .existing(transpose.source) }
      if shape.count == order.rank {
        let source = graph.type(of: transpose.source).shape
        return .moved(
          transpose.source, shape: source, transpose.permutation.followed(by: back), rank: order.rank)
      }
    }
    let extended = [Int](repeating: 1, count: order.rank - shape.count) + shape
    if shape.count == order.rank, !back.isReshape(of: shape),
      let known = graph.transposed(x, by: back, exceptIn: members)
    {
      return .existing(known)
    }
    let leading = back.applied(to: extended).prefix { $0 == 1 }.count
    let rank = order.rank - min(leading, order.rank - shape.count)
    return .moved(x, shape: extended, back, rank: rank)
  }

  /// Counts the transposes that go and come.
  private mutating func takeStock() -> Bool {
    var uses: [ValueID: Int] = [:]
    var moves: Set<Source> = []
    for step in steps {
      for (input, source) in zip(step.node.inputs, step.sources) {
        if let input, source?.value != input { uses[input, default: 0] += 1 }
        if case .moved(let x, let shape, let permutation, _)? = source, !graph.value(x).isConstant,
          !permutation.isReshape(of: shape), let source
        {
          moves.insert(source)
        }
      }
    }
    addedBefore = moves.count
    let stillRead = Set(steps.flatMap { $0.sources.compactMap { $0?.value } })
    for (value, count) in uses where graph.value(value).useCount == count && !stillRead.contains(value) {
      if let transpose = graph.costlyTranspose(producing: value) { dying.append(transpose.node.id) }
    }
    dying.sort()
    return steps.allSatisfy { step in step.node.outputs.allSatisfy { takeStock(ofReaders: $0) } }
  }

  private mutating func takeStock(ofReaders output: ValueID) -> Bool {
    let value = graph.value(output)
    guard value.useCount <= Graph.readerLimit, let order = orders[output] else { return false }
    let newShape = order.inverse.applied(to: value.type.shape)
    var result = Readers(needOldOrder: value.isGraphOutput)
    for id in value.consumers where !members.contains(id) {
      let node = graph.node(id)
      if let transpose = node.op(as: Transpose.self) {
        let permutation = Permutation(transpose.permutation)
        let whole = order.followed(by: permutation)
        if !permutation.isReshape(of: value.type.shape) { behind += 1 }
        if !whole.isReshape(of: newShape) { composed += 1 }
        result.transposes.append((node, whole))
      } else {
        result.needOldOrder = true
      }
    }
    if result.needOldOrder && !order.isReshape(of: newShape) { addedAfter += 1 }
    readers[output] = result
    return true
  }
}
