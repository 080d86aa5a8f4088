import SepalTensor

/// act((x − mean_c)/√(variance_c + epsilon)·scale_c + bias_c), inference form.
///
/// - Inputs: x, float, rank 2 or more; scale, bias, mean, variance `[C]`, float (their width may differ from x's).
/// - Outputs: x's type and shape.
/// - Source: ONNX BatchNormalization-15 with training_mode 0, Keras BatchNormalization.
public struct BatchNorm: ActivatedOperator {
  public static let schema = OperatorSchema(
    "BatchNorm",
    inputs: ["x", .parameter("scale"), .parameter("bias"), .parameter("mean"), .parameter("variance")],
    attributes: [
      AttributeField("epsilon", \BatchNorm.epsilon), AttributeField("layout", \BatchNorm.layout),
      AttributeField("activation", \BatchNorm.activation),
    ])
  public var epsilon = 1e-5
  public var layout = Layout.channelsFirst
  public var activation = Activation.identity

  public init() {}
  public init(epsilon: Double, layout: Layout = .channelsFirst, activation: Activation = .identity) {
    self.epsilon = epsilon
    self.layout = layout
    self.activation = activation
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    try x.requireFloat("x")
    try x.requireRank(2...TensorType.maximumRank, "x")
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    for (index, name) in ["scale", "bias", "mean", "variance"].enumerated() {
      let parameter = inputs[1 + index]
      try parameter.requireFloat(name)
      try parameter.require(parameter.element, [channels], name)
    }
    return [x]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (scale, bias) = (inputs[1].doubles(), inputs[2].doubles())
    let (mean, variance) = (inputs[3].doubles(), inputs[4].doubles())
    let channels = Channels(inputs[0].shape, layout)
    var result = inputs[0].doubles()
    for index in result.indices {
      let c = channels.channel(index)
      let normalized = (result[index] - mean[c]) / (variance[c] + epsilon).squareRoot()
      result[index] = normalized * scale[c] + bias[c]
    }
    activation.apply(to: &result)
    return [Tensor(inputs[0].element, inputs[0].shape, doubles: result)]
  }
}
