/// cos x, in radians.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Cos-7.
public struct Cos: UnaryOperator {
  public static let schema = OperatorSchema("Cos", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.cosine }
}
