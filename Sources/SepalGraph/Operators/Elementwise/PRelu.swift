import SepalTensor

/// x for x ≥ 0, slope·x below.
/// - Inputs: x, numeric; slope of the same type, broadcasting to x. Outputs: x's type and shape.
/// - Source: ONNX PRelu-16, Keras PReLU.
public struct PRelu: BinaryOperator {
  public static let schema = OperatorSchema("PRelu", inputs: ["x", .parameter("slope")])
  public init() {}

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let output = try broadcastType(inputs[0], inputs[1])
    try inputs[1].require(output.element, broadcastingTo: inputs[0].shape, "slope")
    return [output]
  }

  public func apply(_ x: Double, _ slope: Double) -> Double { x < 0 ? slope * x : x }
  public func apply(_ x: Int64, _ slope: Int64) -> Int64? { x < 0 ? slope &* x : x }
}
