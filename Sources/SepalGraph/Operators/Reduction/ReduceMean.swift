/// Σx/n along `axes`, for integers truncated toward zero. The mean of nothing is NaN, for integers 0.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceMean-18.
public struct ReduceMean: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceMean", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceMean.axes), AttributeField("keepDims", \ReduceMean.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public func finish(_ total: Double, count: Int) -> Double { total / Double(count) }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { total &+ x }
  public func finish(_ total: Int64, count: Int) -> Int64 { count == 0 ? 0 : total / Int64(count) }
}
