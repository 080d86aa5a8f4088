/// ln x; NaN below zero.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Log-13.
public struct Log: UnaryOperator {
  public static let schema = OperatorSchema("Log", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.naturalLogarithm }
}
