/// a ≤ b under numpy broadcasting; false when either is NaN.
/// - Inputs: a, b of one numeric type. Outputs: bool, the broadcast shape. Source: ONNX LessOrEqual-16.
public struct LessOrEqual: ComparisonOperator {
  public static let schema = OperatorSchema("LessOrEqual", inputs: ["a", "b"])
  public init() {}
  public func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool { a <= b }
}
