import SepalTensor

/// Single elements of x, chosen along `axis`: y[i, j, k] = x[i, indices[i, j, k], k] for axis 1 of rank 3.
/// - Inputs: x, any type, rank ≥ 1; indices of the same rank, integers in −extent ..< extent, no longer than x
///   along the other axes.
/// - Outputs: x's type in the shape of `indices`. Source: ONNX GatherElements-13.
public struct GatherElements: Operator {
  public static let schema = OperatorSchema(
    "GatherElements", inputs: ["x", "indices"], attributes: [AttributeField("axis", \GatherElements.axis)])
  public var axis = 0

  public init() {}
  public init(axis: Int) { self.axis = axis }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (x, indices) = (inputs[0], inputs[1])
    let axis = try normalizedAxis(axis, rank: x.rank)
    guard indices.element.isInteger, indices.rank == x.rank,
      x.shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= x.shape[$0] })
    else {
      throw OperatorError("indices are \(indices), expected integers within the shape of x \(x)")
    }
    return [TensorType(x.element, indices.shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (x, indices) = (inputs[0], inputs[1])
    let output = try inferOutputs(inputs.types)[0]
    let axis = try normalizedAxis(axis, rank: output.rank)
    let positions = try indexPositions(indices, extent: x.shape[axis])
    var strides = rowMajorStrides(x.shape)
    let axisStride = strides[axis]
    strides[axis] = 0
    let size = output.element.size
    return [
      Tensor(output) { target in
        x.withUnsafeBytes { source in
          guard let from = source.baseAddress, let to = target.baseAddress else { return }
          forEachOffset(output.shape, strides: [strides]) { flat, offsets in
            (to + flat * size).copyMemory(
              from: from + (offsets[0] + positions[flat] * axisStride) * size, byteCount: size)
          }
        }
      }
    ]
  }
}
