/// tanh(x).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Tanh-13.
public struct Tanh: ActivationOperator {
  public static let schema = OperatorSchema("Tanh", inputs: ["x"])
  public init() {}
  public var asActivation: Activation { .tanh }
}
