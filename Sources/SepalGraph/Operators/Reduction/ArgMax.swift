/// The position of the largest element along `axis`; the first of equal ones, or the last by `selectLast`.
/// - Inputs: x, any float or integer tensor, not empty along `axis`.
/// - Outputs: int64, the axis gone or of extent 1 by `keepDims`. Source: ONNX ArgMax-13.
public struct ArgMax: ArgExtremum {
  public static let schema = OperatorSchema(
    "ArgMax", inputs: ["x"],
    attributes: [
      AttributeField("axis", \ArgMax.axis), AttributeField("keepDims", \ArgMax.keepDims),
      AttributeField("selectLast", \ArgMax.selectLast),
    ])
  public var axis = 0
  public var keepDims = true
  public var selectLast = false

  public init() {}
  public init(axis: Int, keepDims: Bool = true, selectLast: Bool = false) {
    self.axis = axis
    self.keepDims = keepDims
    self.selectLast = selectLast
  }

  public func isBefore<Value: Comparable>(_ a: Value, _ b: Value) -> Bool { a > b }
}
