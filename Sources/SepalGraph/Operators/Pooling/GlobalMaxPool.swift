import SepalTensor

/// The maximum over all spatial axes; NaN when any element is, −∞ when there is none.
/// - Inputs: x, float, rank 3 or more. Outputs: `[N, C, 1…]` in `layout`, or `[N, C]`.
/// - Source: ONNX GlobalMaxPool-1, Keras GlobalMaxPooling2D.
public struct GlobalMaxPool: Operator {
  public static let schema = OperatorSchema(
    "GlobalMaxPool", inputs: ["x"],
    attributes: [
      AttributeField("layout", \GlobalMaxPool.layout), AttributeField("keepDims", \GlobalMaxPool.keepDims),
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
    let channels = Channels(x.shape, layout)
    var result = [Double](repeating: -.infinity, count: output.count)
    for (index, value) in x.doubles().enumerated() {
      let plane = channels.plane(index)
      if value > result[plane] || value.isNaN { result[plane] = value }
    }
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}
