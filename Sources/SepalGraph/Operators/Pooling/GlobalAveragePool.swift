import SepalTensor

/// The mean over all spatial axes; NaN when there is nothing to average.
/// - Inputs: x, float, rank 3 or more. Outputs: `[N, C, 1…]` in `layout`, or `[N, C]`.
/// - Source: ONNX GlobalAveragePool-1, Keras GlobalAveragePooling2D.
public struct GlobalAveragePool: Operator {
  public static let schema = OperatorSchema(
    "GlobalAveragePool", inputs: ["x"],
    attributes: [
      AttributeField("layout", \GlobalAveragePool.layout),
      AttributeField("keepDims", \GlobalAveragePool.keepDims),
    ])
  public var layout = Layout.channelsFirst
  /// Spatial axes stay as 1; otherwise the output is `[N, C]`.
  public var keepDims = true

  public init() {}
  public init(layout: Layout, keepDims: Bool = true) {
    self.layout = layout
    self.keepDims = keepDims
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    try x.requireFloat("x")
    try x.requireRank(3...TensorType.maximumRank, "x")
    return [globallyPooled(x, layout: layout, keepDims: keepDims)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    return [Tensor(x.element, output.shape, doubles: Channels(x.shape, layout).means(x.doubles()))]
  }
}
