/// x for x ≥ 0, alpha·(eˣ − 1) below.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Elu-6.
public struct Elu: ActivationOperator {
  public static let schema = OperatorSchema(
    "Elu", inputs: ["x"],
    attributes: [AttributeField("alpha", \Elu.alpha)])
  public var alpha = 1.0

  public init() {}
  public init(alpha: Double) {
    self.alpha = alpha
  }

  public var asActivation: Activation { .elu(alpha: alpha) }
}
