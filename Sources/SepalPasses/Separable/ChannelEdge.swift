import SepalGraph
import SepalTensor

/// Channels on their way from one convolution to the only other that reads them: the weights of both are known, so that
/// channels can be left out or put in another order.
struct ChannelEdge {
  let producer, consumer: Node
  let source, target: any PaddedConvolution
  /// `[channels][…]` and `[outputs][channels][taps]`, of transposed convolutions too.
  let sourceWeight, targetWeight: Tensor
  let sourceBias: Tensor?
  var channels: Int { sourceWeight.shape[0] }

  /// Nil unless `consumer` is a convolution over all channels of what another one computes for it alone.
  init?(into consumer: Node, in graph: Graph) {
    guard let target = consumer.op as? any PaddedConvolution, target.groups == 1,
      let value = consumer.input(0), consumer.input(3) != value, graph.useCount(of: value) == 1,
      let producer = graph.producer(of: value), let source = producer.op as? any PaddedConvolution,
      source.groups == 1, producer.input(3) == nil, source.layout == target.layout,
      let sourceWeight = Self.own(producer.input(1), in: graph),
      let targetWeight = Self.own(consumer.input(1), in: graph), targetWeight.element == .float32,
      sourceWeight.element == .float32, sourceWeight.count > 0, targetWeight.count > 0
    else { return nil }
    let bias = producer.input(2)
    guard bias == nil || Self.own(bias, in: graph) != nil else { return nil }
    sourceBias = Self.own(bias, in: graph)
    (self.producer, self.consumer) = (producer, consumer)
    (self.source, self.target) = (source, target)
    self.sourceWeight = Self.exchanged(sourceWeight, source)
    self.targetWeight = Self.exchanged(targetWeight, target)
  }

  private static func own(_ id: ValueID?, in graph: Graph) -> Tensor? {
    id.flatMap { graph.useCount(of: $0) == 1 ? graph.constant($0) : nil }
  }

  /// Outputs first where inputs are, and the other way round: transposed convolutions' weights start with inputs.
  private static func exchanged(_ weight: Tensor, _ op: any PaddedConvolution) -> Tensor {
    guard op is ConvTranspose else { return weight }
    let (first, second) = (weight.shape[0], weight.shape[1])
    let values = SeparableLayer.exchanged(weight.doubles(), groups: 1, first: first, second: second)
    return Tensor(weight.element, [second, first] + weight.shape.dropFirst(2), doubles: values)
  }

  /// The producer's weight with the channels `order`, and the consumer's.
  func sourceWeight(keeping order: [Int]) -> Tensor {
    Self.exchanged(sourceWeight.selecting(order, along: 0), source)
  }

  func targetWeight(keeping order: [Int]) -> Tensor {
    Self.exchanged(targetWeight.selecting(order, along: 1), target)
  }

  /// The two convolutions with `channels` between them, of which `target` and `bias` are the second one's weights.
  func rewrite(
    keeping channels: [Int], target weight: Tensor, bias: Tensor?, exactness: Exactness, in graph: Graph
  ) -> Rewrite {
    var rewrite = Rewrite(removing: [producer.id, consumer.id], exactness: exactness)
    func constant(_ node: Node, _ index: Int, _ tensor: Tensor?, _ suffix: String) -> Rewrite.Operand? {
      tensor.map {
        rewrite.constant(node.input(index).map { graph.value($0).name } ?? "\(node.name).\(suffix)", $0)
      }
    }
    let middle = rewrite.node(
      source, name: producer.name,
      inputs: [
        producer.inputs[0]?.operand,
        constant(producer, 1, sourceWeight(keeping: channels), "weight"),
        constant(producer, 2, sourceBias?.selecting(channels, along: 0), "bias"),
      ])
    let bias = bias.map { constant(consumer, 2, $0, "bias") } ?? consumer.input(2)?.operand
    let output = rewrite.node(
      target, name: consumer.name,
      inputs: [middle, constant(consumer, 1, Self.exchanged(weight, target), "weight"), bias]
        + consumer.inputs.dropFirst(3).map { $0?.operand })
    rewrite.replace(consumer.output, with: output)
    return rewrite
  }
}
