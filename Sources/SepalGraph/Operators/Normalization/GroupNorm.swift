import SepalTensor

/// (x − mean)/√(variance + epsilon)·scale_c + bias_c, statistics over each group of channels of each sample.
///
/// - Inputs: x, float, rank 3 or more; scale, bias `[C]`. Outputs: x's type and shape.
/// - Source: ONNX GroupNormalization-21. `groups` divides C.
public struct GroupNorm: Operator {
  public static let schema = OperatorSchema(
    "GroupNorm", inputs: ["x", .parameter("scale"), .parameter("bias")],
    attributes: [
      AttributeField("groups", \GroupNorm.groups), AttributeField("epsilon", \GroupNorm.epsilon),
      AttributeField("layout", \GroupNorm.layout),
    ])
  public var groups = 1
  public var epsilon = 1e-5
  public var layout = Layout.channelsFirst

  public init() {}
  public init(groups: Int, epsilon: Double = 1e-5, layout: Layout = .channelsFirst) {
    self.groups = groups
    self.epsilon = epsilon
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    try x.requireFloat("x")
    try x.requireRank(3...TensorType.maximumRank, "x")
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    guard groups > 0, channels.isMultiple(of: groups) else {
      throw OperatorError("'groups' is \(groups), expected a divisor of the \(channels) channels")
    }
    try inputs[1].require(x.element, [channels], "scale")
    try inputs[2].require(x.element, [channels], "bias")
    return [x]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let (scale, bias) = (inputs[1].doubles(), inputs[2].doubles())
    let channels = Channels(x.shape, layout)
    let channelsPerGroup = channels.count / groups
    var result = x.doubles()
    var means = [Double](repeating: 0, count: channels.batch * groups)
    var variances = means
    let size = Double(channelsPerGroup * channels.spatialCount)
    for index in result.indices { means[channels.plane(index) / channelsPerGroup] += result[index] / size }
    for index in result.indices {
      let group = channels.plane(index) / channelsPerGroup
      let deviation = result[index] - means[group]
      variances[group] += deviation * deviation / size
    }
    for index in result.indices {
      let (group, c) = (channels.plane(index) / channelsPerGroup, channels.channel(index))
      let normalized = (result[index] - means[group]) / (variances[group] + epsilon).squareRoot()
      result[index] = normalized * scale[c] + bias[c]
    }
    return [Tensor(x.element, x.shape, doubles: result)]
  }
}
