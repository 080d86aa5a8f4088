import SepalGraph
import SepalTensor

/// Finds the groups of a convolution whose weights are zero between channels of different groups: depthwise convolutions
/// stored as dense ones, for instance, or bilinear upsampling as a transposed convolution.
///
/// Before: y = Conv(x, W) or ConvTranspose(x, W), W block-diagonal for some order of inputs and of outputs
/// After:  the same of W's blocks {groups}
/// Requires: constant weights of this convolution alone; blocks of equal size, where channels without weights go to any;
/// channels in order, or the convolutions before and behind it can compute and read them in another; a lower cost.
/// Exactness: exact for finite inputs where channels are in order, reassociated otherwise.
struct SplitHiddenGroups: CostedPass {
  static let name = "split-hidden-groups"

  var cost: any CostModel = MACCost()

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Conv || node.op is ConvTranspose,
      case .success(let layer)? = SeparableLayer.layer(node, in: graph), !layer.isDepthwise
    else { return nil }
    for blocks in HiddenBlocks.candidates(layer) where isCheaper(layer, blocks) {
      if let rewrite = split(layer, blocks, in: graph) { return rewrite }
    }
    return nil
  }

  /// Nil where channels would have to be in another order, and cannot.
  private func split(_ layer: SeparableLayer, _ blocks: HiddenBlocks, in graph: Graph) -> Rewrite? {
    let node = layer.node
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
          producer.inputs[0]?.operand,
          rewrite.constant(
            producer.input(1).map { graph.value($0).name } ?? "weight",
            before.sourceWeight(keeping: blocks.inputs)),
          constant(producer.input(2), blocks.inputs, along: 0),
        ])
    }
    let weight = KernelFactor(
      outputs: layer.outputs, inputsPerGroup: layer.inputs / blocks.count, groups: blocks.count,
      kernel: layer.kernel
    ).holding(blocks.weight(layer)).tensor(isTransposed: node.op is ConvTranspose)
    let bias =
      blocks.ordersOutputs ? constant(node.input(2), blocks.outputs, along: 0) : node.input(2)?.operand
    let middle = rewrite.node(
      node.op.grouped(blocks.count), name: node.name,
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
    inputs[1] = rewrite.constant(
      consumer.input(1).map { graph.value($0).name } ?? "weight", behind.targetWeight(keeping: blocks.outputs)
    )
    rewrite.replace(consumer.output, with: rewrite.node(consumer.op, name: consumer.name, inputs: inputs))
    return rewrite
  }

  private func isCheaper(_ layer: SeparableLayer, _ blocks: HiddenBlocks) -> Bool {
    let wiring = SeparableWiring(layer: layer, structure: .depthwisePointwise)
    guard let whole = wiring.graph(nil), let parts = wiring.graph(groups: blocks.count) else { return false }
    return cost.cost(of: parts) < cost.cost(of: whole)
  }
}
