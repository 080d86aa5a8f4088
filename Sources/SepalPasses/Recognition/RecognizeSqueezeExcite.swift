import SepalGraph
import SepalTensor

/// Recognises squeeze-and-excitation.
///
/// Before: y = x·gate(Dense₂(inner(Dense₁(GlobalAveragePool(x)))))     After: y = SqueezeExcite(x, w₁, b₁, w₂, b₂)
/// Requires: each Dense a 1×1 convolution on the pooled value, a Gemm or a MatMul, with constant weights and constant or
/// absent bias; gate and inner activations, fused or nodes; any reshapes in between; the product is per sample and
/// channel in the pool's layout, in either operand order; nobody else reads what is in between.
/// Exactness: reassociated.
struct RecognizeSqueezeExcite: Pass {
  static let name = "recognize-squeeze-excite"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op(as: Mul.self)?.activation == .identity, let a = node.input(0), let b = node.input(1) else {
      return nil
    }
    return rewrite(node, x: a, gate: b, in: graph) ?? rewrite(node, x: b, gate: a, in: graph)
  }

  private func rewrite(_ node: Node, x: ValueID, gate: ValueID, in graph: Graph) -> Rewrite? {
    let type = graph.type(of: x)
    guard type.rank >= 3, type == graph.type(of: node.output) else { return nil }
    var path = GatePath(graph)
    guard let second = path.dense(gate), let first = path.dense(second.input),
      let (poolNode, pool) = path.producer(of: first.input, as: GlobalAveragePool.self),
      poolNode.input(0) == x
    else { return nil }
    let layout = pool.layout
    let (batch, channels) = (type.shape[0], type.shape[layout.channelAxis(rank: type.rank)])
    let gateShape = graph.type(of: gate).shape
    let seen = [Int](repeating: 1, count: type.rank - gateShape.count) + gateShape
    guard
      seen
        == layout.shape(batch: batch, channels: channels, spatial: Array(repeating: 1, count: type.rank - 2)),
      first.weight.shape[1] == channels, second.weight.shape == [channels, first.weight.shape[0]]
    else { return nil }

    var rewrite = Rewrite(removing: path.nodes + [node.id], exactness: .reassociated)
    func constant(_ name: String, _ tensor: Tensor?) -> Rewrite.Operand? {
      tensor.map { rewrite.constant("\(node.name).\(name)", $0) }
    }
    let inputs = [
      x.operand, constant("w1", first.weight), constant("b1", first.bias), constant("w2", second.weight),
      constant("b2", second.bias),
    ]
    let op = SqueezeExcite(layout: layout, inner: first.activation, gate: second.activation)
    rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: inputs))
    return rewrite
  }
}

/// The way up from the gate of a squeeze-and-excitation. Reshapes do not change the order of the N·C numbers on it.
private struct GatePath {
  private let graph: Graph
  private(set) var nodes: [NodeID] = []

  init(_ graph: Graph) { self.graph = graph }

  /// activation(weight·input + bias) per sample; weight `[out, in]`, bias `[out]`.
  struct Dense {
    var input: ValueID
    var weight: Tensor
    var bias: Tensor?
    var activation = Activation.identity
  }

  /// The node that computes `value`, behind any reshapes; nil when one of them has other readers.
  private mutating func producer(of value: ValueID) -> Node? {
    var value = value
    while graph.value(value).useCount == 1, let node = graph.producer(of: value) {
      nodes.append(node.id)
      guard isReshape(node), let x = node.input(0) else { return node }
      value = x
    }
    return nil
  }

  private func isReshape(_ node: Node) -> Bool {
    if let transpose = graph.transpose(producing: node.outputs.first) {
      return transpose.permutation.isReshape(of: graph.type(of: transpose.source).shape)
    }
    return node.op is Reshape
  }

  mutating func producer<Op: Operator>(of value: ValueID, as type: Op.Type) -> (node: Node, op: Op)? {
    guard let node = producer(of: value), let op = node.op as? Op else { return nil }
    return (node, op)
  }

  /// The layer that computes `value`, with the activation behind it.
  mutating func dense(_ value: ValueID) -> Dense? {
    guard var node = producer(of: value) else { return nil }
    var activation = Activation.identity
    if let op = node.op as? any ActivationOperator, let x = node.input(0) {
      guard let inner = producer(of: x) else { return nil }
      activation = op.asActivation
      node = inner
    }
    guard var layer = layer(node) else { return nil }
    guard activation == .identity || layer.activation == .identity else { return nil }
    if activation != .identity { layer.activation = activation }
    return layer
  }

  private func layer(_ node: Node) -> Dense? {
    guard let x = node.input(0), let weight = graph.constant(node.input(1)) else { return nil }
    let seen = graph.type(of: x).shape
    var dense: Dense
    switch node.op {
    case let conv as Conv:
      let first = conv.layout.firstSpatialAxis
      let extents = seen[first..<first + seen.count - 2] + weight.shape.dropFirst(2)
      guard extents.allSatisfy({ $0 == 1 }), (conv.padBegins + conv.padEnds).allSatisfy({ $0 == 0 }),
        conv.groups == 1, node.input(3) == nil
      else { return nil }
      dense = Dense(input: x, weight: weight.reshaped(Array(weight.shape.prefix(2))))
      dense.activation = conv.activation
    case let gemm as Gemm:
      guard !gemm.transA, gemm.alpha == 1, gemm.beta == 1 else { return nil }
      dense = Dense(input: x, weight: gemm.transB ? weight : weight.transposed(by: Permutation([1, 0])))
      dense.activation = gemm.activation
    case is MatMul:
      // Rows beyond the samples would be other positions, of which a pooled value has none.
      guard weight.shape.count == 2, seen.dropFirst().dropLast().allSatisfy({ $0 == 1 }), seen.count > 1
      else { return nil }
      dense = Dense(input: x, weight: weight.transposed(by: Permutation([1, 0])))
    default: return nil
    }
    guard node.input(2) != nil else { return dense }
    guard let bias = graph.constant(node.input(2)), bias.count == dense.weight.shape[0],
      bias.shape.last == bias.count
    else { return nil }
    dense.bias = bias.reshaped([bias.count])
    return dense
  }
}
