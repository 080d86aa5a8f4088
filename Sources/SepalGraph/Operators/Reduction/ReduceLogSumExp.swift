#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// log Σeˣ along `axes`, without overflow for large x; −∞ of nothing. Integer results truncate.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceLogSumExp-18.
public struct ReduceLogSumExp: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceLogSumExp", inputs: ["x"],
    attributes: [
      AttributeField("axes", \ReduceLogSumExp.axes), AttributeField("keepDims", \ReduceLogSumExp.keepDims),
    ])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public var start: Double { -.infinity }

  /// log(eᵃ + eᵇ) by the larger of the two.
  public func combine(_ total: Double, _ x: Double) -> Double {
    if total == x { return x + log(2) }
    let (low, high) = total < x ? (total, x) : (x, total)
    return high + log1p(exp(low - high))
  }
}
