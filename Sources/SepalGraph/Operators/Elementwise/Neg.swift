/// −x. The most negative integer stays as it is.
/// - Inputs: x, any float or integer tensor. Outputs: same type and shape. Source: ONNX Neg-13.
public struct Neg: UnaryOperator {
  public static let schema = OperatorSchema("Neg", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { -x }
  public func apply(_ x: Int64) -> Int64? { 0 &- x }
}
