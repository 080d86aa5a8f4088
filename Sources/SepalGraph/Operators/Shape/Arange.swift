import SepalTensor

/// `start`, `start + delta`, `start + 2·delta`, …
/// - Inputs: none. Outputs: `[count]` of type `element`, which is not bool.
/// - Source: ONNX Range-11; importers resolve the limit to a count. Named as in numpy, because Swift has a `Range`.
public struct Arange: Operator {
  public static let schema = OperatorSchema(
    "Arange", inputs: [],
    attributes: [
      AttributeField("start", \Arange.start), AttributeField("delta", \Arange.delta),
      AttributeField("count", \Arange.count), AttributeField("element", \Arange.element),
    ])
  public var start = 0.0
  public var delta = 1.0
  public var count = 0
  public var element = ElementType.int64

  public init() {}
  public init(start: Double, delta: Double, count: Int, element: ElementType) {
    self.start = start
    self.delta = delta
    self.count = count
    self.element = element
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard element != .bool else { throw OperatorError("'element' is bool, expected a number type") }
    guard element.isFloat || (Int64(exactly: start) != nil && Int64(exactly: delta) != nil) else {
      throw OperatorError("'start' is \(start) and 'delta' is \(delta), expected integers for \(element)")
    }
    return [try checkedType(element, [count])]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let output = try inferOutputs(inputs.types)[0]
    if !element.isFloat, let start = Int64(exactly: start), let delta = Int64(exactly: delta) {
      let values = (0..<count).map { start &+ Int64($0) &* delta }
      return [Tensor(element, output.shape, integers: values)]
    }
    return [Tensor(element, output.shape, doubles: (0..<count).map { start + Double($0) * delta })]
  }
}
