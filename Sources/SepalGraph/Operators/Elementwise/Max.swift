/// The larger of a and b under numpy broadcasting; NaN when either is.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Max-13, variadic there.
public struct Max: BinaryOperator {
  public static let schema = OperatorSchema("Max", inputs: ["a", "b"])
  public init() {}
  public func apply(_ a: Double, _ b: Double) -> Double { a.isNaN || a > b ? a : b }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { max(a, b) }
}
