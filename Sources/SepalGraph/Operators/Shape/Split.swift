import SepalTensor

/// Cuts a tensor into consecutive parts along `axis`.
/// - Inputs: x, any type, rank ≥ 1. Outputs: one part per entry of `sizes`, which sum to the extent of the axis.
/// - Source: ONNX Split-18; importers resolve `num_outputs` and a missing `split`.
public struct Split: Operator {
  public static let schema = OperatorSchema(
    "Split", inputs: ["x"], hasVariadicOutputs: true,
    attributes: [AttributeField("axis", \Split.axis), AttributeField("sizes", \Split.sizes)])
  public var axis = 0
  public var sizes: [Int] = []

  public init() {}
  public init(axis: Int, sizes: [Int]) {
    self.axis = axis
    self.sizes = sizes
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    let axis = try normalizedAxis(axis, rank: x.rank)
    var rest = x.shape[axis]
    for size in sizes {
      guard size >= 0, size <= rest else { rest = -1; break }
      rest -= size
    }
    guard rest == 0, !sizes.isEmpty else {
      throw OperatorError("'sizes' is \(sizes), expected non-negative values that sum to \(x.shape[axis])")
    }
    return sizes.map { size in
      var part = x
      part.shape[axis] = size
      return part
    }
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let parts = try inferOutputs(inputs.types)
    let axis = try normalizedAxis(axis, rank: x.type.rank)
    let strides = rowMajorStrides(x.shape)
    var start = 0
    return parts.map { part in
      defer { start += part.shape[axis] }
      return x.region(part.shape, offset: start * strides[axis], strides: strides)
    }
  }
}
