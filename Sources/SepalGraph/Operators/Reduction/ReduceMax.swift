import SepalTensor

/// The largest x along `axes`; NaN if there is one. Of nothing: −∞, or the least value of an integer type.
/// - Inputs: x, any tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceMax-20.
public struct ReduceMax: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceMax", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceMax.axes), AttributeField("keepDims", \ReduceMax.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public var start: Double { -.infinity }
  public func combine(_ total: Double, _ x: Double) -> Double { x > total || x.isNaN ? x : total }
  public func start(of element: ElementType) -> Int64 { element.integerRange.lowerBound }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { max(total, x) }
  public func accepts(_ element: ElementType) -> Bool { true }
}
