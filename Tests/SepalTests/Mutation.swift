import Sepal

/// One small mistake of a converted model, and where it is.
struct Mutation: CustomStringConvertible {
  /// The kinds of mistakes that passes and importers make.
  enum Kind: String, CaseIterable {
    // In the converted graph.
    case oneWeight = "one weight off by 1%"
    case biasSign = "the sign of one bias"
    case pads = "pads swapped"
    case knee = "the clip's knee at 5.9"
    case slope = "the hard sigmoid's slope 0.2"
    case channels = "two output channels swapped"
    // In what was folded.
    case epsilon = "another epsilon"
    case statistic = "a stale statistic"
  }

  var kind: Kind
  var place: String
  /// The mutated model, as far as it is converted.
  var converted: Graph
  /// The values of which one is the first to be wrong.
  var wrong: [String]

  var description: String { "\(kind.rawValue) of \(place)" }
}

/// Makes mistakes at random places of one network.
struct Mutator {
  let source: Graph
  let converted: Graph
  private let optimizer: Optimizer

  init(_ source: Graph) throws {
    self.source = source
    optimizer = try Optimizer()
    var graph = source
    _ = try optimizer.run(&graph)
    converted = graph
  }

  /// Nil where the network has no place for it.
  func mutate(_ kind: Mutation.Kind, _ random: inout SplitMix64) throws -> Mutation? {
    switch kind {
    case .oneWeight:
      return try constant(kind, of: converted, operand: 1, &random) { values, random, node in
        var index = 0
        repeat { index = Int(random.next() % UInt64(values.count)) } while !reachesInput(node, weight: index)
        values[index] *= 1.01
      }
    case .biasSign:
      return try constant(kind, of: converted, operand: 2, &random) { values, random, _ in
        values[Int(random.next() % UInt64(values.count))].negate()
      }
    case .channels:
      return try constant(kind, of: converted, operand: 1, &random) { values, random, node in
        let rows = converted.type(of: node.output).shape.last ?? 1
        guard rows > 1 else { return }
        let (count, first) = (values.count / rows, Int(random.next() % UInt64(rows)))
        let second = (first + 1 + Int(random.next() % UInt64(rows - 1))) % rows
        for index in 0..<count { values.swapAt(first * count + index, second * count + index) }
      }
    case .pads:
      return try op(kind, as: Conv.self, &random) { conv in
        guard conv.padBegins != conv.padEnds else { return false }
        swap(&conv.padBegins, &conv.padEnds)
        return true
      }
    case .knee:
      return try op(kind, as: Conv.self, &random) { conv in
        guard case .clip(let low, 6) = conv.activation else { return false }
        conv.activation = .clip(min: low, max: 5.9)
        return true
      }
    case .slope:
      return try op(kind, as: SqueezeExcite.self, &random) { block in
        guard case .hardSigmoid(_, let beta) = block.gate else { return false }
        block.gate = .hardSigmoid(alpha: 0.2, beta: beta)
        return true
      }
    case .epsilon:
      return try norm(kind, &random) { graph, node, _ in
        guard var norm = node.op(as: BatchNorm.self) else { return nil }
        norm.epsilon *= 10
        return try graph.replacing(node.id, by: norm)
      }
    case .statistic:
      return try norm(kind, &random) { graph, node, random in
        let operand = random.next() & 1 == 0 ? 3 : 4
        guard let id = node.input(operand), var values = graph.constant(id)?.doubles() else { return nil }
        // As it is before training.
        values[Int(random.next() % UInt64(values.count))] = operand == 3 ? 0 : 1
        var graph = graph
        graph.replaceElements(of: id, by: Tensor(.float32, [values.count], doubles: values))
        return graph
      }
    }
  }

  /// Whether a weight is ever multiplied with anything but padding: small images have large kernels.
  private func reachesInput(_ node: Node, weight index: Int) -> Bool {
    guard let conv = node.op(as: Conv.self), let x = node.input(0), let weight = node.input(1) else {
      return true
    }
    let kernel = converted.type(of: weight).shape.dropFirst(2)
    var rest = index
    for axis in conv.strides.indices.reversed() {
      let tap = rest % kernel[kernel.startIndex + axis]
      rest /= kernel[kernel.startIndex + axis]
      let size = converted.type(of: x).shape[axis + 1]
      let positions = 0..<converted.type(of: node.output).shape[axis + 1]
      let isInside = positions.contains { position in
        let place = position * conv.strides[axis] + tap * conv.dilations[axis] - conv.padBegins[axis]
        return 0 <= place && place < size
      }
      if !isInside { return false }
    }
    return true
  }

  private func constant(
    _ kind: Mutation.Kind, of graph: Graph, operand: Int, _ random: inout SplitMix64,
    change: (inout [Double], inout SplitMix64, Node) -> Void
  ) throws -> Mutation? {
    let nodes = graph.nodes.filter {
      ($0.op is Conv || $0.op is Gemm) && graph.constant($0.input(operand)) != nil
    }
    guard let node = nodes.randomElement(using: &random), let id = node.input(operand),
      let tensor = graph.constant(id)
    else { return nil }
    var values = tensor.doubles()
    change(&values, &random, node)
    var mutated = graph
    mutated.replaceElements(of: id, by: Tensor(.float32, tensor.shape, doubles: values))
    return Mutation(kind: kind, place: node.name, converted: mutated, wrong: layers(at: node.output))
  }

  private func op<Op: Operator>(
    _ kind: Mutation.Kind, as type: Op.Type, _ random: inout SplitMix64, change: (inout Op) -> Bool
  ) throws -> Mutation? {
    let changes = converted.nodes.compactMap { node -> (Node, Op)? in
      guard var op = node.op(as: Op.self), change(&op) else { return nil }
      return (node, op)
    }
    guard let (node, op) = changes.randomElement(using: &random) else { return nil }
    return Mutation(
      kind: kind, place: node.name, converted: try converted.replacing(node.id, by: op),
      wrong: layers(at: node.output))
  }

  /// A value of the converted graph and, where it stands for nothing in the source, those that are computed from it.
  private func layers(at value: ValueID) -> [String] {
    let readers = converted.value(value).consumers.flatMap { converted.node($0).outputs }
    return ([value] + readers).map { converted.value($0).name }
  }

  /// The converted values that stand for a source tensor, or else for what is computed from it first.
  private func firstLayers(after tensor: ValueID, in converted: Graph) -> [String] {
    var tensors = [tensor]
    while !tensors.isEmpty {
      let names = Set(tensors.flatMap { source.value($0).origins.map(\.name) })
      let layers = converted.values.filter { value in
        !value.isConstant && value.origins.last.map { names.contains($0.name) } == true
      }
      if !layers.isEmpty { return layers.map(\.name) }
      tensors = tensors.flatMap { source.value($0).consumers.flatMap { source.node($0).outputs } }
    }
    return []
  }

  private func norm(
    _ kind: Mutation.Kind, _ random: inout SplitMix64,
    change: (Graph, Node, inout SplitMix64) throws -> Graph?
  ) throws -> Mutation? {
    guard let node = source.nodes.filter({ $0.op is BatchNorm }).randomElement(using: &random),
      var graph = try change(source, node, &random)
    else { return nil }
    _ = try optimizer.run(&graph)
    return Mutation(
      kind: kind, place: node.name, converted: graph, wrong: firstLayers(after: node.output, in: graph))
  }
}

extension Graph {
  /// The same graph with another operator in one place.
  fileprivate func replacing(_ replaced: NodeID, by op: some Operator) throws -> Graph {
    var copy = Graph(name: name)
    var copies: [ValueID: ValueID] = [:]
    for id in inputs { copies[id] = copy.addInput(value(id).name, type(of: id)) }
    for value in values {
      if let constant = value.constant {
        copies[value.id] = copy.addConstant(value.name, constant, origins: value.origins)
      }
    }
    for node in nodes {
      let outputs = try copy.add(
        node.id == replaced ? op : node.op, name: node.name,
        inputs: node.inputs.map { $0.flatMap { copies[$0] } },
        outputNames: node.outputs.map { value($0).name })
      for (old, new) in zip(node.outputs, outputs) {
        copies[old] = new
        copy.addOrigins(value(old).origins, to: new)
      }
    }
    for output in outputs {
      if let value = copies[output.value] { copy.addOutput(output.name, value) }
    }
    return copy
  }
}
