/// Exactly one of a and b, under numpy broadcasting.
/// - Inputs: a, b, bool. Outputs: bool, the broadcast shape. Source: ONNX Xor-7.
public struct Xor: LogicalOperator {
  public static let schema = OperatorSchema("Xor", inputs: ["a", "b"])
  public init() {}
  public func combine(_ a: Bool, _ b: Bool) -> Bool { a != b }
}
