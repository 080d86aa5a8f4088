/// a and b, under numpy broadcasting.
/// - Inputs: a, b, bool. Outputs: bool, the broadcast shape. Source: ONNX And-7.
public struct And: LogicalOperator {
  public static let schema = OperatorSchema("And", inputs: ["a", "b"])
  public init() {}
  public func combine(_ a: Bool, _ b: Bool) -> Bool { a && b }
}
