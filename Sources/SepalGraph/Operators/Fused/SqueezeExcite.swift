import SepalTensor

/// x·gate(w2·inner(w1·mean(x) + b1) + b2), the mean over all spatial axes, the product per channel.
///
/// - Inputs: x, float, rank 3 or more, C channels; w1 `[R, C]`; b1 `[R]`, optional; w2 `[C, R]`; b2 `[C]`, optional.
/// - Outputs: x's type and shape.
/// - Source: canonical form of GlobalAveragePool → two 1×1 convolutions or dense layers → Mul. Hu et al. 2018.
public struct SqueezeExcite: Operator {
  public static let schema = OperatorSchema(
    "SqueezeExcite",
    inputs: [
      "x", .parameter("w1"), .optionalParameter("b1"), .parameter("w2"), .optionalParameter("b2"),
    ],
    attributes: [
      AttributeField("layout", \SqueezeExcite.layout), AttributeField("inner", \SqueezeExcite.inner),
      AttributeField("gate", \SqueezeExcite.gate),
    ])
  public var layout = Layout.channelsFirst
  public var inner = Activation.relu
  public var gate = Activation.sigmoid

  public init() {}
  public init(layout: Layout, inner: Activation, gate: Activation) {
    self.layout = layout
    self.inner = inner
    self.gate = gate
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (x, w1) = (inputs[0], inputs[1])
    try x.requireFloat("x")
    try x.requireRank(3...TensorType.maximumRank, "x")
    try w1.requireRank(2...2, "w1")
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    let reduced = w1.shape[0]
    try w1.require(x.element, [reduced, channels], "w1")
    try inputs.optional(2)?.require(x.element, [reduced], "b1")
    try inputs[3].require(x.element, [channels, reduced], "w2")
    try inputs.optional(4)?.require(x.element, [channels], "b2")
    return [x]
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    saturatingProduct([2, inputs[0].shape[0]] + inputs[1].shape)
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let channels = Channels(x.shape, layout)
    let reduced = inputs[1].shape[0]
    var result = x.doubles()
    let means = channels.means(result)
    let hidden = dense(
      means, inputs[1].doubles(), inputs.optional(2)?.doubles(), rows: channels.batch,
      from: channels.count, to: reduced, inner)
    let gates = dense(
      hidden, inputs[3].doubles(), inputs.optional(4)?.doubles(), rows: channels.batch,
      from: reduced, to: channels.count, gate)
    for index in result.indices { result[index] *= gates[channels.plane(index)] }
    return [Tensor(x.element, x.shape, doubles: result)]
  }

  private func dense(
    _ x: [Double], _ weight: [Double], _ bias: [Double]?, rows: Int, from inputs: Int, to outputs: Int,
    _ activation: Activation
  ) -> [Double] {
    let shape = MatrixProduct(rows: rows, inner: inputs, columns: outputs, transB: true)
    var result = shape.multiply(x, weight)
    if let bias {
      for index in result.indices { result[index] += bias[index % outputs] }
    }
    activation.apply(to: &result)
    return result
  }
}
