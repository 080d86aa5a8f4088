/// 1/x.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Reciprocal-13.
public struct Reciprocal: UnaryOperator {
  public static let schema = OperatorSchema("Reciprocal", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { 1 / x }
}
