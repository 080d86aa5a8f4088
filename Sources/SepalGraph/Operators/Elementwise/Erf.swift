/// The Gauss error function of x.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Erf-13.
public struct Erf: UnaryOperator {
  public static let schema = OperatorSchema("Erf", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.errorFunction }
}
