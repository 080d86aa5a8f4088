/// √x; NaN below zero.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Sqrt-13.
public struct Sqrt: UnaryOperator {
  public static let schema = OperatorSchema("Sqrt", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.squareRoot() }
}
