import SepalTensor

/// a where the condition is true, b elsewhere, all three under numpy broadcasting.
/// - Inputs: condition, bool; a, b of one type. Outputs: that type, the broadcast shape. Source: ONNX Where-16.
public struct Where: Operator {
  public static let schema = OperatorSchema("Where", inputs: ["condition", "a", "b"])
  public init() {}

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (condition, a, b) = (inputs[0], inputs[1], inputs[2])
    guard condition.element == .bool else { throw OperatorError("condition is \(condition), expected bool") }
    guard a.element == b.element else {
      throw OperatorError("a is \(a) and b is \(b), expected the same element type")
    }
    guard let branches = broadcastShape(a.shape, b.shape),
      let shape = broadcastShape(condition.shape, branches)
    else { throw OperatorError("shapes \(condition), \(a) and \(b) do not broadcast") }
    return [TensorType(a.element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (condition, a, b) = (inputs[0], inputs[1], inputs[2])
    let output = try inferOutputs(inputs.types)[0]
    let strides = [condition, a, b].map { broadcastStrides($0.shape, to: output.shape) }
    let chosen = condition.booleans()
    if let left = a.integers(), let right = b.integers() {
      var result = [Int64](repeating: 0, count: output.count)
      forEachOffset(output.shape, strides: strides) { flat, offsets in
        result[flat] = chosen[offsets[0]] ? left[offsets[1]] : right[offsets[2]]
      }
      return [Tensor(output.element, output.shape, integers: result)]
    }
    let (left, right) = (a.doubles(), b.doubles())
    var result = [Double](repeating: 0, count: output.count)
    forEachOffset(output.shape, strides: strides) { flat, offsets in
      result[flat] = chosen[offsets[0]] ? left[offsets[1]] : right[offsets[2]]
    }
    return [Tensor(output.element, output.shape, doubles: result)]
  }
}
