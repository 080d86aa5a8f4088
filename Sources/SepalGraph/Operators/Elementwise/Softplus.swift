/// ln(1 + eˣ), written so that eˣ does not overflow.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Softplus-1.
public struct Softplus: UnaryOperator {
  public static let schema = OperatorSchema("Softplus", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double {
    x > 0 ? x + (-x).exponential.logarithmOfOnePlus : x.exponential.logarithmOfOnePlus
  }
}
