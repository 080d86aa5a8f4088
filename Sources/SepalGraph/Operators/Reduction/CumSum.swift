import SepalTensor

/// Running sums along `axis`: yᵢ = x₀ + … + xᵢ; without xᵢ itself when `exclusive`; from the end when `reverse`.
/// Integers wrap.
/// - Inputs: x, any float or integer tensor, rank ≥ 1. Outputs: same type and shape. Source: ONNX CumSum-14.
public struct CumSum: Operator {
  public static let schema = OperatorSchema(
    "CumSum", inputs: ["x"],
    attributes: [
      AttributeField("axis", \CumSum.axis), AttributeField("exclusive", \CumSum.exclusive),
      AttributeField("reverse", \CumSum.reverse),
    ])
  public var axis = 0
  public var exclusive = false
  public var reverse = false

  public init() {}
  public init(axis: Int, exclusive: Bool = false, reverse: Bool = false) {
    self.axis = axis
    self.exclusive = exclusive
    self.reverse = reverse
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard inputs[0].element != .bool else { throw OperatorError("does not take bool") }
    _ = try normalizedAxis(axis, rank: inputs[0].rank)
    return [inputs[0]]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let lanes = AxisLanes(shape: x.shape, axis: try normalizedAxis(axis, rank: x.type.rank))
    if let integers = x.integers() {
      return [Tensor(x.element, x.shape, integers: sums(integers, lanes, from: 0) { $0 &+ $1 })]
    }
    return [Tensor(x.element, x.shape, doubles: sums(x.doubles(), lanes, from: 0) { $0 + $1 })]
  }

  private func sums<Value>(
    _ values: [Value], _ lanes: AxisLanes, from zero: Value, _ add: (Value, Value) -> Value
  ) -> [Value] {
    var result = values
    for lane in 0..<lanes.count {
      var total = zero
      for step in 0..<lanes.extent {
        let offset = lanes.offset(lane, reverse ? lanes.extent - 1 - step : step)
        let before = total
        total = add(total, values[offset])
        result[offset] = exclusive ? before : total
      }
    }
    return result
  }
}
