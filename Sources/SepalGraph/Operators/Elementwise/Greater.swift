/// a > b under numpy broadcasting; false when either is NaN.
/// - Inputs: a, b of one numeric type. Outputs: bool, the broadcast shape. Source: ONNX Greater-13.
public struct Greater: ComparisonOperator {
  public static let schema = OperatorSchema("Greater", inputs: ["a", "b"])
  public init() {}
  public func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool { a > b }
}
