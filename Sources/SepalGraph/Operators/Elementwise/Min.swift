/// The smaller of a and b under numpy broadcasting; NaN when either is.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Min-13, variadic there.
public struct Min: BinaryOperator {
  public static let schema = OperatorSchema("Min", inputs: ["a", "b"])
  public init() {}
  public func apply(_ a: Double, _ b: Double) -> Double { a.isNaN || a < b ? a : b }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { min(a, b) }
}
