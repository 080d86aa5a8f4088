import SepalTensor

/// aᵇ under numpy broadcasting, in a's element type.
///
/// Two integers multiply out and wrap; a negative integer exponent truncates the fraction and is refused for base 0.
/// - Inputs: a, b of numeric types that may differ. Outputs: a's element type, the broadcast shape. Source: ONNX Pow-15.
public struct Pow: BinaryOperator {
  public static let schema = OperatorSchema("Pow", inputs: ["a", "b"])
  public init() {}

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard inputs[1].element != .bool else { throw OperatorError("the exponent is bool, expected a number") }
    return [try broadcastType(inputs[0], inputs[1])]
  }

  public func apply(_ a: Double, _ b: Double) -> Double { a.raised(to: b) }

  public func apply(_ a: Int64, _ b: Int64) -> Int64? {
    if b < 0 {
      switch a {
      case 0: return nil
      case 1: return 1
      case -1: return b & 1 == 0 ? 1 : -1
      default: return 0
      }
    }
    var (result, square, exponent) = (Int64(1), a, b)
    while exponent > 0 {
      if exponent & 1 == 1 { result = result &* square }
      square = square &* square
      exponent >>= 1
    }
    return result
  }
}
