import SepalTensor

/// The `k` largest (or least) elements along `axis`, best first. Of equal elements the one with the lower index comes
/// first; NaN counts as larger than every number. `sorted = false` allows any order: this one is used as well.
/// - Inputs: x, any float or integer tensor with at least `k` elements along `axis`.
/// - Outputs: values, of x's type, and indices, int64; extent `k` along `axis`. Source: ONNX TopK-11.
public struct TopK: Operator {
  public static let schema = OperatorSchema(
    "TopK", inputs: ["x"], outputs: ["values", "indices"],
    attributes: [
      AttributeField("axis", \TopK.axis), AttributeField("k", \TopK.k),
      AttributeField("largest", \TopK.largest), AttributeField("sorted", \TopK.sorted),
    ])
  public var axis = -1
  public var k = 1
  public var largest = true
  public var sorted = true

  public init() {}
  public init(axis: Int = -1, k: Int, largest: Bool = true, sorted: Bool = true) {
    self.axis = axis
    self.k = k
    self.largest = largest
    self.sorted = sorted
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard x.element != .bool else { throw OperatorError("does not take bool") }
    let axis = try normalizedAxis(axis, rank: x.rank)
    guard k >= 0, k <= x.shape[axis] else {
      throw OperatorError("'k' is \(k), expected 0…\(x.shape[axis])")
    }
    var shape = x.shape
    shape[axis] = k
    return [TensorType(x.element, shape), TensorType(.int64, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let outputs = try inferOutputs(inputs.types)
    let lanes = AxisLanes(shape: x.shape, axis: try normalizedAxis(axis, rank: x.type.rank))
    let chosen =
      x.integers().map { positions($0, lanes) { $0 < $1 } }
      ?? positions(x.doubles(), lanes) { $0 < $1 || ($1.isNaN && !$0.isNaN) }
    let indices = Tensor(.int64, outputs[1].shape, integers: chosen)
    let values = try GatherElements(axis: axis).evaluate(Inputs([x, indices]))
    return [values[0], indices]
  }

  /// The positions along the axis, laid out as the output.
  private func positions<Value>(
    _ values: [Value], _ lanes: AxisLanes, _ isLess: (Value, Value) -> Bool
  ) -> [Int64] {
    var result = [Int64](repeating: 0, count: lanes.count * k)
    for lane in 0..<lanes.count {
      let order = (0..<lanes.extent).sorted { a, b in
        let (left, right) = (values[lanes.offset(lane, a)], values[lanes.offset(lane, b)])
        if isLess(left, right) { return !largest }
        if isLess(right, left) { return largest }
        return a < b
      }
      for rank in 0..<k { result[lanes.offset(lane, rank, extent: k)] = Int64(order[rank]) }
    }
    return result
  }
}
