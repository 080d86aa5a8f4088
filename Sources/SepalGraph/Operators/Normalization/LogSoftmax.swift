import SepalTensor

/// x − ln Σ eˣ along `axis`, with the maximum taken off first so that nothing overflows.
/// - Inputs: x, float, rank 1 or more. Outputs: same type and shape. Source: ONNX LogSoftmax-13.
public struct LogSoftmax: Operator {
  public static let schema = OperatorSchema(
    "LogSoftmax", inputs: ["x"], attributes: [AttributeField("axis", \LogSoftmax.axis)])
  public var axis = -1

  public init() {}
  public init(axis: Int) { self.axis = axis }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    try inputs[0].requireFloat("x")
    _ = try normalizedAxis(axis, rank: inputs[0].rank)
    return [inputs[0]]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    var result = x.doubles()
    let lanes = AxisLanes(shape: x.shape, axis: try normalizedAxis(axis, rank: x.shape.count))
    for lane in 0..<(result.isEmpty ? 0 : lanes.count) {
      var (maximum, sum) = (-Double.infinity, 0.0)
      for index in 0..<lanes.extent { maximum = max(maximum, result[lanes.offset(lane, index)]) }
      for index in 0..<lanes.extent { sum += (result[lanes.offset(lane, index)] - maximum).exponential }
      let shift = maximum + sum.naturalLogarithm
      for index in 0..<lanes.extent { result[lanes.offset(lane, index)] -= shift }
    }
    return [Tensor(x.element, x.shape, doubles: result)]
  }
}
