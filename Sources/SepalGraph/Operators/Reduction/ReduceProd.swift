import SepalTensor

/// Πx along `axes`. An empty product is 1; integers wrap.
/// - Inputs: x, any float or integer tensor. Outputs: same type, `axes` gone or of extent 1 by `keepDims`.
/// - Source: ONNX ReduceProd-18.
public struct ReduceProd: ReductionOperator {
  public static let schema = OperatorSchema(
    "ReduceProd", inputs: ["x"],
    attributes: [AttributeField("axes", \ReduceProd.axes), AttributeField("keepDims", \ReduceProd.keepDims)])
  public var axes: [Int] = []
  public var keepDims = true

  public init() {}
  public init(axes: [Int], keepDims: Bool = true) {
    self.axes = axes
    self.keepDims = keepDims
  }

  public var start: Double { 1 }
  public func combine(_ total: Double, _ x: Double) -> Double { total * x }
  public func start(of element: ElementType) -> Int64 { 1 }
  public func combine(_ total: Int64, _ x: Int64) -> Int64? { total &* x }
}
