/// a or b, under numpy broadcasting.
/// - Inputs: a, b, bool. Outputs: bool, the broadcast shape. Source: ONNX Or-7.
public struct Or: LogicalOperator {
  public static let schema = OperatorSchema("Or", inputs: ["a", "b"])
  public init() {}
  public func combine(_ a: Bool, _ b: Bool) -> Bool { a || b }
}
