/// x/(1 + |x|).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Softsign-1.
public struct Softsign: UnaryOperator {
  public static let schema = OperatorSchema("Softsign", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x / (1 + x.magnitude) }
}
