import SepalTensor

/// a = b under numpy broadcasting; false when either is NaN.
/// - Inputs: a, b of one type, bool included. Outputs: bool, the broadcast shape. Source: ONNX Equal-13.
public struct Equal: ComparisonOperator {
  public static let schema = OperatorSchema("Equal", inputs: ["a", "b"])
  public init() {}
  public func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool { a == b }
  public func resultElement(_ element: ElementType) -> ElementType? { .bool }
}
