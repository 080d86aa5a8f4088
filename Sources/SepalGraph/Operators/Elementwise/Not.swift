import SepalTensor

/// Logical negation.
/// - Inputs: x, a bool tensor. Outputs: same type and shape. Source: ONNX Not-1.
public struct Not: UnaryOperator {
  public static let schema = OperatorSchema("Not", inputs: ["x"])
  public init() {}
  public func apply(_ x: Double) -> Double { x == 0 ? 1 : 0 }
  public func apply(_ x: Int64) -> Int64? { x == 0 ? 1 : 0 }
  public func resultElement(_ element: ElementType) -> ElementType? { element == .bool ? .bool : nil }
}
