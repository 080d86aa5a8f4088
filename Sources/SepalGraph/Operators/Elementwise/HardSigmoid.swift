/// min(max(alpha·x + beta, 0), 1).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX HardSigmoid-6.
public struct HardSigmoid: ActivationOperator {
  public static let schema = OperatorSchema(
    "HardSigmoid", inputs: ["x"],
    attributes: [AttributeField("alpha", \HardSigmoid.alpha), AttributeField("beta", \HardSigmoid.beta)])
  public var alpha = 0.2
  public var beta = 0.5

  public init() {}
  public init(alpha: Double, beta: Double) {
    self.alpha = alpha
    self.beta = beta
  }

  public var asActivation: Activation { .hardSigmoid(alpha: alpha, beta: beta) }
}
