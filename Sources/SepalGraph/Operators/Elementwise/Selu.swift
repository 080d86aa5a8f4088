/// gamma·x for x > 0, gamma·alpha·(eˣ − 1) elsewhere.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Selu-6.
public struct Selu: UnaryOperator {
  public static let schema = OperatorSchema(
    "Selu", inputs: ["x"],
    attributes: [AttributeField("alpha", \Selu.alpha), AttributeField("gamma", \Selu.gamma)])
  public var alpha = 1.67326319217681884765625
  public var gamma = 1.05070102214813232421875

  public init() {}
  public init(alpha: Double, gamma: Double) {
    self.alpha = alpha
    self.gamma = gamma
  }

  public func apply(_ x: Double) -> Double { gamma * (x > 0 ? x : alpha * x.exponentialMinusOne) }
}
