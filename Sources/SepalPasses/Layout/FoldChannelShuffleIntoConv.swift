import SepalGraph
import SepalTensor

/// Reorders the weights of the convolutions behind a channel shuffle instead of the channels.
///
/// Before: s = Reshape(Transpose(Reshape(x) {[…,g,k]}) {swap g, k}) {[…,C]};  y = Conv(s, w)
/// After:  y = Conv(x, w′)
/// Requires: x channels-last, all other axes as they are; each reader of s is a dense convolution, or a depthwise one that
/// only a dense convolution reads (then both sets of weights are reordered); weights and depthwise bias constant
/// and read by nothing else; no reader is a residual operand or a graph output.
/// Exactness: reassociated (the terms of each sum come in another order).
struct FoldChannelShuffleIntoConv: Pass {
  static let name = "fold-channel-shuffle-into-conv"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let shuffle = ChannelShuffle(endingAt: node, in: graph),
      graph.value(node.output).useCount <= Graph.readerLimit, !graph.value(node.output).isGraphOutput
    else { return nil }
    var depthwise: [Node] = []
    var dense: [Node] = []
    for id in graph.value(node.output).consumers {
      let reader = graph.node(id)
      guard let conv = convolution(reader, reading: node.output, in: graph) else { return nil }
      if conv.groups == 1 {
        dense.append(reader)
      } else {
        guard conv.groups == shuffle.sources.count, graph.constant(reader.input(1))?.shape[0] == conv.groups,
          reader.input(2) == nil || isOwnConstant(reader.input(2), in: graph), reader.input(3) == nil,
          let next = graph.soleConsumer(of: reader.output),
          convolution(next, reading: reader.output, in: graph)?.groups == 1
        else { return nil }
        depthwise.append(reader)
        dense.append(next)
      }
    }
    var rewrite = Rewrite(
      removing: shuffle.nodes + depthwise.map(\.id) + dense.map(\.id), exactness: .reassociated)
    var moved: [ValueID: Rewrite.Operand] = [node.output: shuffle.input.operand]
    for conv in depthwise + dense {
      // Channel sources[i] of x is channel i of s: its weights go to place sources[i].
      let axis = depthwise.contains { $0.id == conv.id } ? 0 : 1
      let inputs = conv.inputs.enumerated().map { index, input -> Rewrite.Operand? in
        guard let input else { return nil }
        if index == 0 { return moved[input] ?? input.operand }
        guard index == 1 || (axis == 0 && index == 2), let tensor = graph.constant(input) else {
          return input.operand
        }
        return rewrite.constant(
          graph.value(input).name, tensor.selecting(shuffle.places, along: axis))
      }
      let result = rewrite.node(conv.op, name: conv.name, inputs: inputs)
      if axis == 0 { moved[conv.output] = result } else { rewrite.replace(conv.output, with: result) }
    }
    return rewrite
  }

  /// The channels-last convolution of `value`, with weights of its own.
  private func convolution(_ node: Node, reading value: ValueID, in graph: Graph) -> Conv? {
    guard let conv = node.op(as: Conv.self), conv.layout == .channelsLast, node.input(0) == value,
      node.input(3) != value, isOwnConstant(node.input(1), in: graph)
    else { return nil }
    return conv
  }

  private func isOwnConstant(_ id: ValueID?, in graph: Graph) -> Bool {
    id.map { graph.value($0).isConstant && graph.value($0).useCount == 1 } ?? false
  }
}

/// A permutation of the last axis, written as splitting it, transposing the parts and merging them.
private struct ChannelShuffle {
  let input: ValueID
  let nodes: [NodeID]
  /// Channel i of the result is channel `sources[i]` of the input.
  let sources: [Int]

  /// Where each channel of the input is in the result.
  var places: [Int] { Permutation(sources).inverse.axes }

  init?(endingAt node: Node, in graph: Graph) {
    guard node.op is Reshape, let merged = node.input(0), graph.value(merged).useCount == 1,
      let transpose = graph.transpose(producing: merged),
      let (split, op) = graph.soleProducer(of: transpose.source, as: Reshape.self), let x = split.input(0)
    else { return nil }
    let shape = graph.type(of: x).shape
    let lead = shape.count - 1
    guard lead >= 0, graph.type(of: node.output).shape == shape, op.shape.count > lead,
      Array(op.shape.prefix(lead)) == Array(shape.prefix(lead)),
      (0..<lead).allSatisfy({ transpose.permutation[$0] == $0 })
    else { return nil }
    let parts = Array(op.shape.dropFirst(lead))
    let order = Permutation(transpose.permutation.axes.dropFirst(lead).map { $0 - lead })
    let channels = Tensor([shape[lead]], int64s: (0..<shape[lead]).map { Int64($0) })
    guard let sources = channels.reshaped(parts).transposed(by: order).integers() else { return nil }
    self.sources = sources.map { Int($0) }
    input = x
    nodes = [split.id, transpose.node.id, node.id]
  }
}
