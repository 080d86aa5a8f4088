/// Σx along `axes`. An empty sum is 0; integers wrap.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceSum-13.
public struct ReduceSum: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceSum", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceSum.axes), AttributeField("keepDims", \ReduceSum.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { total &+ x }
}
