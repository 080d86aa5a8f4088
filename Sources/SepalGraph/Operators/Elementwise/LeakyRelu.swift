/// x for x ≥ 0, alpha·x below.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX LeakyRelu-16.
public struct LeakyRelu: ActivationOperator {
  public static let schema = OperatorSchema(
    "LeakyRelu", inputs: ["x"],
    attributes: [AttributeField("alpha", \LeakyRelu.alpha)])
  public var alpha = 0.01

  public init() {}
  public init(alpha: Double) {
    self.alpha = alpha
  }

  public var asActivation: Activation { .leakyRelu(alpha: alpha) }
}
