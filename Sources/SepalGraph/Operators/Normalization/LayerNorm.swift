import SepalTensor

/// (x − mean)/√(variance + epsilon)·scale + bias, statistics over axes `axis` to last.
///
/// - Inputs: x, float; scale and the optional bias broadcast to the normalised axes. Outputs: x's type and shape.
/// - Source: ONNX LayerNormalization-17, first output.
public struct LayerNorm: Operator {
  public static let schema = OperatorSchema(
    "LayerNorm", inputs: ["x", .parameter("scale"), .optionalParameter("bias")],
    attributes: [AttributeField("axis", \LayerNorm.axis), AttributeField("epsilon", \LayerNorm.epsilon)])
  public var axis = -1
  public var epsilon = 1e-5

  public init() {}
  public init(axis: Int, epsilon: Double = 1e-5) {
    self.axis = axis
    self.epsilon = epsilon
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    try x.requireFloat("x")
    let normalized = Array(x.shape[try normalizedAxis(axis, rank: x.rank)...])
    try inputs[1].require(x.element, broadcastingTo: normalized, "scale")
    try inputs.optional(2)?.require(x.element, broadcastingTo: normalized, "bias")
    return [x]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let normalized = Array(x.shape[try normalizedAxis(axis, rank: x.shape.count)...])
    let size = normalized.reduce(1, *)
    let scale = inputs[1].doubles(broadcastTo: normalized)
    let bias = inputs.optional(2)?.doubles(broadcastTo: normalized)
    var result = x.doubles()
    for start in stride(from: 0, to: result.count, by: max(1, size)) {
      let row = start..<start + size
      var (mean, variance) = (0.0, 0.0)
      for index in row { mean += result[index] / Double(size) }
      for index in row {
        let deviation = result[index] - mean
        variance += deviation * deviation / Double(size)
      }
      for index in row {
        let value = (result[index] - mean) / (variance + epsilon).squareRoot()
        result[index] = value * scale[index - start] + (bias?[index - start] ?? 0)
      }
    }
    return [Tensor(x.element, x.shape, doubles: result)]
  }
}
