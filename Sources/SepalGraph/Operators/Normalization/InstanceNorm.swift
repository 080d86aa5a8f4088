import SepalTensor

/// (x − mean)/√(variance + epsilon)·scale_c + bias_c, statistics over the spatial axes of each channel and sample.
///
/// - Inputs: x, float, rank 3 or more; scale, bias `[C]`. Outputs: x's type and shape.
/// - Source: ONNX InstanceNormalization-6.
public struct InstanceNorm: Operator {
  public static let schema = OperatorSchema(
    "InstanceNorm", inputs: ["x", .parameter("scale"), .parameter("bias")],
    attributes: [
      AttributeField("epsilon", \InstanceNorm.epsilon), AttributeField("layout", \InstanceNorm.layout),
    ])
  public var epsilon = 1e-5
  public var layout = Layout.channelsFirst

  public init() {}
  public init(epsilon: Double, layout: Layout = .channelsFirst) {
    self.epsilon = epsilon
    self.layout = layout
  }

  /// Group normalisation with one channel a group.
  private func asGroupNorm(channelsOf shape: [Int]) -> GroupNorm {
    let channels = shape.count > 1 ? shape[layout.channelAxis(rank: shape.count)] : 1
    return GroupNorm(groups: max(1, channels), epsilon: epsilon, layout: layout)
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    try asGroupNorm(channelsOf: inputs[0].shape).inferOutputs(inputs)
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    try asGroupNorm(channelsOf: inputs[0].shape).evaluate(inputs)
  }
}
