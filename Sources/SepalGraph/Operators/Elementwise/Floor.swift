/// The largest integer not above x.
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX Floor-13.
public struct Floor: UnaryOperator {
  public static let schema = OperatorSchema("Floor", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.rounded(.down) }
}
