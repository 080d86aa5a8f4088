/// x·Φ(x), Φ the normal distribution function; `approximate` takes its tanh form.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Gelu-20.
public struct Gelu: ActivationOperator {
  public static let schema = OperatorSchema(
    "Gelu", inputs: ["x"],
    attributes: [AttributeField("approximate", \Gelu.approximate)])
  public var approximate = false

  public init() {}
  public init(approximate: Bool) {
    self.approximate = approximate
  }

  public var asActivation: Activation { approximate ? .geluTanh : .gelu }
}
