import SepalTensor

/// Whether x is not a number.
/// - Inputs: x, any float tensor. Outputs: bool, same shape. Source: ONNX IsNaN-13.
public struct IsNaN: UnaryOperator {
  public static let schema = OperatorSchema("IsNaN", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x.isNaN ? 1 : 0 }
  public func resultElement(_ element: ElementType) -> ElementType? { element.isFloat ? .bool : nil }
}
