/// The nearest integer; halves go to the even one.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Round-11.
public struct Round: UnaryOperator {
  public static let schema = OperatorSchema("Round", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.rounded(.toNearestOrEven) }
}
