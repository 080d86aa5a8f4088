/// −1, 0 or 1.
/// - Inputs: x, any float or integer tensor. Outputs: same type and shape. Source: ONNX Sign-13.
public struct Sign: UnaryOperator {
  public static let schema = OperatorSchema("Sign", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }
  public func apply(_ x: Int64) -> Int64? { x.signum() }
}
