import SepalGraph
import SepalTensor

/// A convolution, transposed convolution or Gemm with constant weights and bias, y = W·x + b: its weights can take up
/// what is done to the channels of x or y. Computed in `Double`, rounded once.
struct LinearLayer {
  /// New weights; nil where nothing changes.
  struct Parameters {
    var weight: Tensor?
    var bias: Tensor?
  }

  let op: any ActivatedOperator
  /// The axis of x and y along which the channels are.
  let channelAxis: Int
  private let weight: Tensor
  private let bias: [Double]?
  /// How weights belong to the channels of y, and of x.
  private let outputs: ChannelGrid
  private let inputs: ChannelGrid
  /// Whether each element of y sees all weights of its channel, so that a constant added to x adds a constant to y.
  private let seesNoBorder: Bool

  /// Nil when `node` is another operator, has a residual, or its weights are not constant.
  init?(_ node: Node, in graph: Graph) {
    guard let op = node.op as? any ActivatedOperator, let weight = graph.constant(node.input(1)),
      weight.count > 0, node.input(3) == nil
    else { return nil }
    let shape = weight.shape
    let taps = shape.dropFirst(2).reduce(1, *)
    switch op {
    case let conv as Conv:
      channelAxis = conv.layout.channelAxis(rank: shape.count)
      outputs = ChannelGrid(channelsPerGroup: shape[0], inner: shape[1] * taps)
      inputs = ChannelGrid(
        rows: shape[0], rowsPerGroup: shape[0] / conv.groups, channelsPerGroup: shape[1], inner: taps)
      seesNoBorder = (conv.padBegins + conv.padEnds).allSatisfy { $0 == 0 }
    case let conv as ConvTranspose:
      channelAxis = conv.layout.channelAxis(rank: shape.count)
      outputs = ChannelGrid(
        rows: shape[0], rowsPerGroup: shape[0] / conv.groups, channelsPerGroup: shape[1], inner: taps)
      inputs = ChannelGrid(channelsPerGroup: shape[0], inner: shape[1] * taps)
      seesNoBorder = false
    case let gemm as Gemm where gemm.alpha == 1 && gemm.beta == 1 && !gemm.transA:
      channelAxis = 1
      let columns = ChannelGrid(rows: shape[0], rowsPerGroup: shape[0], channelsPerGroup: shape[1], inner: 1)
      let rows = ChannelGrid(channelsPerGroup: shape[0], inner: shape[1])
      (outputs, inputs) = gemm.transB ? (rows, columns) : (columns, rows)
      seesNoBorder = true
    default: return nil
    }
    bias = graph.constant(node.input(2))?.channelValues(axis: 1, of: [1, outputs.channels])
    guard (bias == nil) == (node.input(2) == nil) else { return nil }
    self.op = op
    self.weight = weight
  }

  /// The parameters of affine(W·x + b); nil when a number overflows or a channel drops out of the normal range.
  func applying(_ affine: ChannelAffine) -> Parameters? {
    let scaledBias = bias.map { bias in affine.scale.map { zip(bias, $0).map(*) } ?? bias }
    let newBias =
      affine.shift.map { shift in scaledBias.map { zip($0, shift).map(+) } ?? shift } ?? scaledBias
    var result = Parameters()
    if let scale = affine.scale {
      var values = weight.doubles()
      let before = peaks(values, outputs)
      outputs.forEachRun { channel, elements in
        for index in elements { values[index] *= scale[channel] }
      }
      let normal = weight.element.magnitudes.lowerBound
      for (channel, after) in peaks(values, outputs).enumerated()
      where after < normal && before[channel] >= normal {
        // Precision below the normal range matters unless the constant term drowns the channel anyway.
        let constant = abs(newBias?[channel] ?? 0)
        guard scale[channel] == 0 || constant > normal * 0x1p32 else { return nil }
      }
      guard let rounded = rounded(values, weight.shape) else { return nil }
      result.weight = rounded
    }
    if let newBias, affine.shift != nil || affine.scale != nil {
      guard let rounded = rounded(newBias, [newBias.count]) else { return nil }
      result.bias = rounded
    }
    return result
  }

  /// The parameters of W·affine(x) + b; nil when the padding would be shifted too, a number overflows, or a channel drops
  /// out of the normal range.
  func absorbing(_ affine: ChannelAffine) -> Parameters? {
    var result = Parameters()
    var values = weight.doubles()
    if let shift = affine.shift, shift.contains(where: { $0 != 0 }) {
      guard seesNoBorder else { return nil }
      var sums = bias ?? [Double](repeating: 0, count: outputs.channels)
      for index in values.indices {
        sums[outputs.channel(index)] += values[index] * shift[inputs.channel(index)]
      }
      guard let rounded = rounded(sums, [sums.count]) else { return nil }
      result.bias = rounded
    }
    if let scale = affine.scale {
      let before = peaks(values, inputs)
      inputs.forEachRun { channel, elements in
        for index in elements { values[index] *= scale[channel] }
      }
      let normal = weight.element.magnitudes.lowerBound
      for (channel, after) in peaks(values, inputs).enumerated()
      where after < normal && before[channel] >= normal && scale[channel] != 0 { return nil }
      guard let rounded = rounded(values, weight.shape) else { return nil }
      result.weight = rounded
    }
    return result
  }

  /// The largest magnitude among the weights of each channel.
  private func peaks(_ values: [Double], _ grid: ChannelGrid) -> [Double] {
    var peaks = [Double](repeating: 0, count: grid.channels)
    grid.forEachRun { channel, elements in
      for index in elements { peaks[channel] = max(peaks[channel], abs(values[index])) }
    }
    return peaks
  }

  private func rounded(_ values: [Double], _ shape: [Int]) -> Tensor? {
    let largest = weight.element.magnitudes.upperBound
    guard values.allSatisfy({ abs($0) <= largest }) else { return nil }
    return Tensor(weight.element, shape, doubles: values)
  }
}

extension LinearLayer.Parameters {
  /// Operands of a layer like `node` that has these parameters and reads `x`.
  func operands(_ node: Node, x: ValueID?, in graph: Graph, _ rewrite: inout Rewrite) -> [Rewrite.Operand?] {
    func operand(_ index: Int, _ tensor: Tensor?, suffix: String) -> Rewrite.Operand? {
      guard let tensor else { return node.input(index)?.operand }
      guard let old = node.input(index) else { return rewrite.constant("\(node.name).\(suffix)", tensor) }
      let isShared = graph.value(old).useCount > 1
      let name = graph.value(old).name
      return rewrite.constant(isShared ? "\(name).\(node.name)" : name, tensor)
    }
    return [x?.operand, operand(1, weight, suffix: "weight"), operand(2, bias, suffix: "bias")]
  }
}
