import SepalGraph
import SepalTensor

/// Finds the groups of a convolution whose weights are zero between channels of different groups: depthwise convolutions
/// stored as dense ones, for instance.
///
/// Before: y = Conv(x, W), W block-diagonal for some order of inputs and of outputs
/// After:  y = Conv(x, W's blocks) {groups}
/// Requires: constant weights of this convolution alone; blocks of equal size; channels in order, or the convolutions
/// before and behind it can compute and read them in another; a lower cost.
/// Exactness: exact for finite inputs where channels are in order, reassociated otherwise.
struct SplitHiddenGroups: CostedPass {
  static let name = "split-hidden-groups"

  var cost: any CostModel = MACCost()

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let conv = node.op(as: Conv.self), conv.groups == 1,
      case .success(let layer)? = SeparableLayer.layer(node, in: graph),
      let blocks = HiddenBlocks(layer), isCheaper(layer, conv, blocks)
    else { return nil }
    let before = blocks.ordersInputs ? ChannelEdge(into: node, in: graph) : nil
    let reader = graph.soleConsumer(of: node.output)
    let behind = blocks.ordersOutputs ? reader.flatMap { ChannelEdge(into: $0, in: graph) } : nil
    guard blocks.ordersInputs == (before != nil), blocks.ordersOutputs == (behind != nil) else { return nil }

    var rewrite = Rewrite(
      removing: [before?.producer.id, node.id, behind?.consumer.id].compactMap { $0 },
      exactness: before == nil && behind == nil ? .exact : .reassociated)
    func constant(_ id: ValueID?, _ order: [Int], along axis: Int) -> Rewrite.Operand? {
      guard let id, let tensor = graph.constant(id) else { return id?.operand }
      return rewrite.constant(graph.value(id).name, tensor.selecting(order, along: axis))
    }
    var x = node.inputs[0]?.operand
    if let before {
      let producer = before.producer
      x = rewrite.node(
        producer.op, name: producer.name,
        inputs: [
          producer.inputs[0]?.operand, constant(producer.input(1), blocks.inputs, along: 0),
          constant(producer.input(2), blocks.inputs, along: 0),
        ])
    }
    var grouped = conv
    grouped.groups = blocks.count
    let weight = Tensor(
      .float32, [layer.outputs, layer.inputs / blocks.count] + layer.kernel, doubles: blocks.weight(layer))
    let bias =
      blocks.ordersOutputs ? constant(node.input(2), blocks.outputs, along: 0) : node.input(2)?.operand
    let middle = rewrite.node(
      grouped, name: node.name,
      inputs: [
        x, rewrite.constant(node.input(1).map { graph.value($0).name } ?? "weight", weight), bias,
        node.input(3)?.operand,
      ])
    guard let behind else {
      rewrite.replace(node.output, with: middle)
      return rewrite
    }
    let consumer = behind.consumer
    var inputs = consumer.inputs.map { $0?.operand }
    inputs[0] = middle
    inputs[1] = constant(consumer.input(1), blocks.outputs, along: 1)
    rewrite.replace(consumer.output, with: rewrite.node(consumer.op, name: consumer.name, inputs: inputs))
    return rewrite
  }

  private func isCheaper(_ layer: SeparableLayer, _ conv: Conv, _ blocks: HiddenBlocks) -> Bool {
    let wiring = SeparableWiring(layer: layer, structure: .depthwisePointwise)
    guard let whole = wiring.graph(nil), let parts = wiring.graph(groups: blocks.count) else { return false }
    return cost.cost(of: parts) < cost.cost(of: whole)
  }
}

/// The finest blocks of channels that a convolution does not mix, if they are of equal size.
struct HiddenBlocks {
  /// Channels block by block, ascending within each; blocks are in the order of their first inputs.
  let inputs, outputs: [Int]
  let count: Int

  var ordersInputs: Bool { inputs != Array(inputs.indices) }
  var ordersOutputs: Bool { outputs != Array(outputs.indices) }

  /// Nil where there is one block only, or blocks differ in size. Linear in the weights.
  init?(_ layer: SeparableLayer) {
    var sets = DisjointSets(count: layer.inputs + layer.outputs)
    var source = 0
    for output in 0..<layer.outputs {
      for input in 0..<layer.inputs {
        let isRead = layer.weight[source..<source + layer.taps].contains { $0 != 0 }
        if isRead { sets.join(input, layer.inputs + output) }
        source += layer.taps
      }
    }
    var order: [Int: Int] = [:]
    var blocks: [(inputs: [Int], outputs: [Int])] = []
    for channel in 0..<layer.inputs + layer.outputs {
      let root = sets.root(channel)
      let block = order[root] ?? blocks.count
      if block == blocks.count {
        order[root] = block
        blocks.append(([], []))
      }
      if channel < layer.inputs {
        blocks[block].inputs.append(channel)
      } else {
        blocks[block].outputs.append(channel - layer.inputs)
      }
    }
    guard blocks.count > 1,
      blocks.allSatisfy({
        $0.inputs.count == blocks[0].inputs.count && $0.outputs.count == blocks[0].outputs.count
      }), !blocks[0].inputs.isEmpty, !blocks[0].outputs.isEmpty
    else { return nil }
    inputs = blocks.flatMap(\.inputs)
    outputs = blocks.flatMap(\.outputs)
    count = blocks.count
  }

  /// `[outputs][inputs of a block][taps]`.
  func weight(_ layer: SeparableLayer) -> [Double] {
    let (perBlock, outputsPerBlock) = (inputs.count / count, outputs.count / count)
    var result: [Double] = []
    result.reserveCapacity(outputs.count * perBlock * layer.taps)
    for (place, output) in outputs.enumerated() {
      let block = place / outputsPerBlock
      for input in inputs[block * perBlock..<(block + 1) * perBlock] {
        let start = (output * layer.inputs + input) * layer.taps
        result += layer.weight[start..<start + layer.taps]
      }
    }
    return result
  }
}

/// Union–find with path halving, by size.
private struct DisjointSets {
  private var parents: [Int]
  private var sizes: [Int]

  init(count: Int) {
    parents = Array(0..<count)
    sizes = Array(repeating: 1, count: count)
  }

  mutating func root(_ element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  mutating func join(_ first: Int, _ second: Int) {
    var (a, b) = (root(first), root(second))
    guard a != b else { return }
    if sizes[a] < sizes[b] { swap(&a, &b) }
    parents[b] = a
    sizes[a] += sizes[b]
  }
}
