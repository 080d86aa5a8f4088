/// The smallest integer not below x.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Ceil-13.
public struct Ceil: UnaryOperator {
  public static let schema = OperatorSchema("Ceil", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.rounded(.up) }
}
