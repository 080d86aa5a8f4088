/// a − b under numpy broadcasting; integers wrap.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Sub-14.
public struct Sub: BinaryOperator {
  public static let schema = OperatorSchema("Sub", inputs: ["a", "b"])
  public init() {}
  public func apply(_ a: Double, _ b: Double) -> Double { a - b }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { a &- b }
}
