import SepalTensor

/// x.
/// - Inputs: x, any tensor. Outputs: same type and shape. Source: ONNX Identity-13, Dropout at inference.
public struct Identity: Operator {
  public static let schema = OperatorSchema("Identity", inputs: ["x"])
  public init() {}

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] { [inputs[0]] }
  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] { [inputs[0]] }
}
