/// a/b under numpy broadcasting; integers truncate toward zero, and division by zero is refused for them.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Div-14.
public struct Div: BinaryOperator {
  public static let schema = OperatorSchema("Div", inputs: ["a", "b"])
  public init() {}
  public func apply(_ a: Double, _ b: Double) -> Double { a / b }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? {
    b == 0 ? nil : a.dividedReportingOverflow(by: b).partialValue
  }
}
