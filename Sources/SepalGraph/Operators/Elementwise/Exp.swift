/// eˣ.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Exp-13.
public struct Exp: UnaryOperator {
  public static let schema = OperatorSchema("Exp", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.exponential }
}
