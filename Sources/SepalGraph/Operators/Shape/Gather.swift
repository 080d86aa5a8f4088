import SepalTensor

/// Slices of x along `axis`, chosen by `indices`: y[…a, i…, b…] = x[…a, indices[i…], b…].
/// - Inputs: x, any type, rank ≥ 1; indices, integers in −extent ..< extent, negative ones counting from the back.
/// - Outputs: x's shape with `axis` replaced by the shape of `indices`. Source: ONNX Gather-13.
public struct Gather: Operator {
  public static let schema = OperatorSchema(
    "Gather", inputs: [.parameter("x"), "indices"], attributes: [AttributeField("axis", \Gather.axis)])
  public var axis = 0

  public init() {}
  public init(axis: Int) { self.axis = axis }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (x, indices) = (inputs[0], inputs[1])
    let axis = try normalizedAxis(axis, rank: x.rank)
    guard indices.element.isInteger else {
      throw OperatorError("indices are \(indices.element), expected integers")
    }
    return [
      try checkedType(x.element, Array(x.shape[..<axis]) + indices.shape + Array(x.shape[(axis + 1)...]))
    ]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (x, indices) = (inputs[0], inputs[1])
    let output = try inferOutputs(inputs.types)[0]
    let axis = try normalizedAxis(axis, rank: x.type.rank)
    let positions = try indexPositions(indices, extent: x.shape[axis])
    return [x.selecting(positions, along: axis).reshaped(output.shape)]
  }
}

/// Run-time indices into an axis of `extent`, counted from the front.
func indexPositions(_ indices: Tensor, extent: Int) throws(OperatorError) -> [Int] {
  guard let values = indices.integers() else {
    throw OperatorError("indices are \(indices.element), expected integers")
  }
  var positions: [Int] = []
  positions.reserveCapacity(values.count)
  for value in values {
    guard value >= -Int64(extent), value < Int64(extent) else {
      throw OperatorError("index \(value) is out of range for an extent of \(extent)")
    }
    positions.append(Int(value < 0 ? value + Int64(extent) : value))
  }
  return positions
}
