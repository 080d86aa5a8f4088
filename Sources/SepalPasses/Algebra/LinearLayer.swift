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
      let peaks = multiply(&values, by: scale, outputs)
      for channel in peaks.indices where losesPrecision(peaks[channel]) {
        // A constant term may drown the channel, whose precision then does not matter.
        guard let newBias, abs(newBias[channel]) > weight.element.magnitudes.lowerBound * 0x1p32 else {
          return nil
        }
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
      let peaks = multiply(&values, by: scale, inputs)
      guard !peaks.contains(where: losesPrecision) else { return nil }
      guard let rounded = rounded(values, weight.shape) else { return nil }
      result.weight = rounded
    }
    return result
  }

  /// The largest magnitudes among the weights of one channel, before and after scaling.
  private typealias Peak = (before: Double, after: Double)

  private func multiply(_ values: inout [Double], by scale: [Double], _ grid: ChannelGrid) -> [Peak] {
    var peaks = [Peak](repeating: (0, 0), count: grid.channels)
    values.withUnsafeMutableBufferPointer { values in
      grid.forEachRun { channel, elements in
        let factor = scale[channel]
        var peak = peaks[channel]
        for index in elements {
          let (old, new) = (values[index], values[index] * factor)
          if abs(old) > peak.before { peak.before = abs(old) }
          if abs(new) > peak.after { peak.after = abs(new) }
          values[index] = new
        }
        peaks[channel] = peak
      }
    }
    return peaks
  }

  /// Whether scaling took a channel out of the normal range; a scale of zero loses nothing.
  private func losesPrecision(_ peak: Peak) -> Bool {
    let normal = weight.element.magnitudes.lowerBound
    return peak.before >= normal && peak.after < normal && peak.after > 0
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
      let isShared = graph.useCount(of: old) > 1
      let name = graph.value(old).name
      return rewrite.constant(isShared ? "\(name).\(node.name)" : name, tensor)
    }
    return [x?.operand, operand(1, weight, suffix: "weight"), operand(2, bias, suffix: "bias")]
  }
}
