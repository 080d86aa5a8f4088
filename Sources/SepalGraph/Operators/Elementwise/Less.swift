/// a < b under numpy broadcasting; false when either is NaN.
/// - Inputs: a, b of one numeric type. Outputs: bool, the broadcast shape. Source: ONNX Less-13.
public struct Less: ComparisonOperator {
  public static let schema = OperatorSchema("Less", inputs: ["a", "b"])
  public init() {}
  public func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool { a < b }
}
