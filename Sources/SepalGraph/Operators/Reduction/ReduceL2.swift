/// √Σx² along `axes`; 0 of nothing. Integer results truncate.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceL2-18.
public struct ReduceL2: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceL2", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceL2.axes), AttributeField("keepDims", \ReduceL2.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public func combine(_ total: Double, _ x: Double) -> Double { total + x * x }
  public func finish(_ total: Double, count: Int) -> Double { total.squareRoot() }
}
