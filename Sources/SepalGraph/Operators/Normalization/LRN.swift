import SepalTensor

/// x/(bias + alpha/size·Σ x²)^beta, the sum over `size` neighbouring channels c − ⌊(size−1)/2⌋ … c + ⌈(size−1)/2⌉.
///
/// - Inputs: x, float, rank 3 or more. Outputs: same type and shape. Source: ONNX LRN-13.
public struct LRN: Operator {
  public static let schema = OperatorSchema(
    "LRN", inputs: ["x"],
    attributes: [
      AttributeField("alpha", \LRN.alpha), AttributeField("beta", \LRN.beta),
      AttributeField("bias", \LRN.bias), AttributeField("size", \LRN.size),
      AttributeField("layout", \LRN.layout),
    ])
  public var alpha = 1e-4
  public var beta = 0.75
  public var bias = 1.0
  public var size = 1
  public var layout = Layout.channelsFirst

  public init() {}
  public init(
    alpha: Double = 1e-4, beta: Double = 0.75, bias: Double = 1, size: Int, layout: Layout = .channelsFirst
  ) {
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
    self.size = size
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    try inputs[0].requireFloat("x")
    try inputs[0].requireRank(3...TensorType.maximumRank, "x")
    guard size > 0 else { throw OperatorError("'size' is \(size), expected 1 or more") }
    return [inputs[0]]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let values = x.doubles()
    let axis = layout.channelAxis(rank: x.shape.count)
    let (channels, stride) = (x.shape[axis], rowMajorStrides(x.shape)[axis])
    let before = (size - 1) / 2
    let after = size - 1 - before
    var result = values
    for index in values.indices {
      let c = index / stride % channels
      var sum = 0.0
      for neighbour in max(0, c - before)...min(channels - 1, c + after) {
        let value = values[index + (neighbour - c) * stride]
        sum += value * value
      }
      result[index] /= (bias + alpha / Double(size) * sum).raised(to: beta)
    }
    return [Tensor(x.element, x.shape, doubles: result)]
  }
}
