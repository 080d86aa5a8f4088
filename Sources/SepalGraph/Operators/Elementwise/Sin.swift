/// sin x, in radians.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Sin-7.
public struct Sin: UnaryOperator {
  public static let schema = OperatorSchema("Sin", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.sine }
}
