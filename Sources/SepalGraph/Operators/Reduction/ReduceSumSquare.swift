/// Σx² along `axes`; 0 of nothing. Integers wrap.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceSumSquare-18.
public struct ReduceSumSquare: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceSumSquare", inputs: ["x"],
    attributes: [
      AttributeField("axes", \ReduceSumSquare.axes), AttributeField("keepDims", \ReduceSumSquare.keepDims),
    ])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public func combine(_ total: Double, _ x: Double) -> Double { total + x * x }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { total &+ x &* x }
}
