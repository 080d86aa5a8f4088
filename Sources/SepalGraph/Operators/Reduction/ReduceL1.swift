/// Σ|x| along `axes`; 0 of nothing. Integers wrap.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceL1-18.
public struct ReduceL1: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceL1", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceL1.axes), AttributeField("keepDims", \ReduceL1.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public func combine(_ total: Double, _ x: Double) -> Double { total + abs(x) }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { total &+ (x < 0 ? 0 &- x : x) }
}
