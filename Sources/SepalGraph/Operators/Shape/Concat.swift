import SepalTensor

/// Joins tensors along `axis`.
/// - Inputs: one or more of one element type and rank ≥ 1, equal in all other axes. Parts may be empty.
/// - Outputs: the sum of extents along `axis`. Source: ONNX Concat-13.
public struct Concat: Operator {
  public static let schema = OperatorSchema(
    "Concat", inputs: ["x"], isVariadic: true, attributes: [AttributeField("axis", \Concat.axis)])
  public var axis = 0

  public init() {}
  public init(axis: Int) { self.axis = axis }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let parts = inputs.present
    var shape = parts[0].shape
    let axis = try normalizedAxis(axis, rank: shape.count)
    for (index, part) in parts.enumerated().dropFirst() {
      var expected = part.shape
      if axis < part.rank { expected[axis] = parts[0].shape[axis] }
      guard part.element == parts[0].element, expected == parts[0].shape else {
        throw OperatorError("input \(index) is \(part), which does not join \(parts[0]) along axis \(axis)")
      }
      let (extent, overflow) = shape[axis].addingReportingOverflow(part.shape[axis])
      guard !overflow else { throw OperatorError("the output is too large") }
      shape[axis] = extent
    }
    return [try checkedType(parts[0].element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let parts = inputs.present
    let output = try inferOutputs(inputs.types)[0]
    let axis = try normalizedAxis(axis, rank: output.rank)
    let strides = rowMajorStrides(output.shape)
    let size = output.element.size
    return [
      Tensor(output) { target in
        guard var to = target.baseAddress, !target.isEmpty else { return }
        for part in parts {
          part.withUnsafeBytes { source in
            guard let from = source.baseAddress, !source.isEmpty else { return }
            copyRegion(
              elementSize: size, shape: part.shape, from: from, strides: rowMajorStrides(part.shape),
              to: to, strides: strides)
          }
          to += part.shape[axis] * strides[axis] * size
        }
      }
    ]
  }
}
