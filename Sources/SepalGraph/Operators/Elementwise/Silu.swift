/// x·sigmoid(x), also called Swish.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Swish-24, Keras silu.
public struct Silu: ActivationOperator {
  public static let schema = OperatorSchema("Silu", inputs: ["x"])
  public init() {}
  public var asActivation: Activation { .silu }
}
