/// |x|. The most negative integer stays as it is.
/// - Inputs: x, any float or integer tensor. Outputs: same type and shape. Source: ONNX Abs-13.
public struct Abs: UnaryOperator {
  public static let schema = OperatorSchema("Abs", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.magnitude }
  public func apply(_ x: Int64) -> Int64? { x < 0 ? 0 &- x : x }
}
