/// 1/(1 + e⁻ˣ).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Sigmoid-13.
public struct Sigmoid: ActivationOperator {
  public static let schema = OperatorSchema("Sigmoid", inputs: ["x"])
  public init() {}
  public var asActivation: Activation { .sigmoid }
}
