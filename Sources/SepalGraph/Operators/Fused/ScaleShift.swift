import SepalTensor

/// act(x·scale_c + shift_c) over the channel axis: a batch normalisation that found no convolution to fold into.
///
/// - Inputs: x, float, rank 2 or more; scale `[C]`; shift `[C]`, optional. Outputs: x's type and shape.
/// - Source: canonical form of BatchNormalization and of per-channel Mul and Add.
public struct ScaleShift: ActivatedOperator {
  public static let schema = OperatorSchema(
    "ScaleShift", inputs: ["x", .parameter("scale"), .optionalParameter("shift")],
    attributes: [
      AttributeField("layout", \ScaleShift.layout), AttributeField("activation", \ScaleShift.activation),
    ])
  public var layout = Layout.channelsFirst
  public var activation = Activation.identity

  public init() {}
  public init(layout: Layout, activation: Activation = .identity) {
    self.layout = layout
    self.activation = activation
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    try x.requireFloat("x")
    try x.requireRank(2...TensorType.maximumRank, "x")
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    try inputs[1].require(x.element, [channels], "scale")
    try inputs.optional(2)?.require(x.element, [channels], "shift")
    return [x]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let channels = Channels(inputs[0].shape, layout)
    let scale = inputs[1].doubles()
    let shift = inputs.optional(2)?.doubles()
    var result = inputs[0].doubles()
    for index in result.indices {
      let c = channels.channel(index)
      result[index] = result[index] * scale[c] + (shift?[c] ?? 0)
    }
    activation.apply(to: &result)
    return [Tensor(inputs[0].element, inputs[0].shape, doubles: result)]
  }
}
