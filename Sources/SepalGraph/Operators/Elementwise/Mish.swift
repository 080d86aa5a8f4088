/// x·tanh(ln(1 + eˣ)).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Mish-18.
public struct Mish: UnaryOperator {
  public static let schema = OperatorSchema("Mish", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x * Softplus().apply(x).hyperbolicTangent }
}
