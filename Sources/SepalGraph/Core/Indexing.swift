import SepalTensor

/// Row-major strides, in elements.
package func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    strides[axis] = strides[axis + 1] * shape[axis + 1]
  }
  return strides
}

/// The shape of an elementwise result under numpy's rules, or nil when the shapes do not broadcast.
public func broadcastShape(_ lhs: [Int], _ rhs: [Int]) -> [Int]? {
  let rank = max(lhs.count, rhs.count)
  var result: [Int] = []
  for axis in 0..<rank {
    let left = axis < rank - lhs.count ? 1 : lhs[axis - (rank - lhs.count)]
    let right = axis < rank - rhs.count ? 1 : rhs[axis - (rank - rhs.count)]
    guard left == right || left == 1 || right == 1 else { return nil }
    result.append(left == 1 ? right : left)
  }
  return result
}

/// Visits every index of `shape` in row-major order and hands over, for each stride list, the dot product with the index.
/// A broadcast operand has stride 0 along the axes where it repeats.
package func forEachOffset(_ shape: [Int], strides: [[Int]], _ body: (_ flat: Int, _ offsets: [Int]) -> Void)
{
  let count = shape.reduce(1, *)
  guard count > 0 else { return }
  var index = [Int](repeating: 0, count: shape.count)
  var offsets = [Int](repeating: 0, count: strides.count)
  for flat in 0..<count {
    body(flat, offsets)
    var axis = shape.count - 1
    while axis >= 0 {
      index[axis] += 1
      for operand in strides.indices { offsets[operand] += strides[operand][axis] }
      if index[axis] < shape[axis] { break }
      for operand in strides.indices { offsets[operand] -= strides[operand][axis] * shape[axis] }
      index[axis] = 0
      axis -= 1
    }
  }
}

/// Strides of an operand of `shape` seen under the broadcast `result` shape.
package func broadcastStrides(_ shape: [Int], to result: [Int]) -> [Int] {
  let strides = rowMajorStrides(shape)
  let lead = result.count - shape.count
  return result.indices.map { axis in
    axis < lead || shape[axis - lead] == 1 ? 0 : strides[axis - lead]
  }
}

/// `axis` counted from the front, or an error when it is out of range for `rank`.
package func normalizedAxis(_ axis: Int, rank: Int, name: String = "axis") throws(OperatorError) -> Int {
  guard axis >= -rank, axis < rank else {
    throw OperatorError("'\(name)' is \(axis), expected −\(rank)…\(rank - 1)")
  }
  return axis < 0 ? axis + rank : axis
}

/// `axes` counted from the front and ascending, or an error when one is out of range or named twice.
package func normalizedAxes(_ axes: [Int], rank: Int, name: String = "axes") throws(OperatorError) -> [Int] {
  var result: [Int] = []
  for axis in axes { result.append(try normalizedAxis(axis, rank: rank, name: name)) }
  result.sort()
  guard zip(result, result.dropFirst()).allSatisfy({ $0 != $1 }) else {
    throw OperatorError("'\(name)' is \(axes), expected distinct axes")
  }
  return result
}

/// The type of an output whose extents come from attributes, or an error when it exceeds what a tensor may be.
package func checkedType(_ element: ElementType, _ shape: [Int]) throws(OperatorError) -> TensorType {
  guard shape.count <= TensorType.maximumRank, TensorType.checkedCount(shape) != nil else {
    throw OperatorError("the output shape \(shape) is not one of a tensor")
  }
  return TensorType(element, shape)
}

extension Tensor {
  /// The elements repeated to `shape`, to which this tensor's shape broadcasts.
  package func doubles(broadcastTo shape: [Int]) -> [Double] {
    let values = doubles()
    if self.shape == shape { return values }
    var result = [Double](repeating: 0, count: shape.reduce(1, *))
    forEachOffset(shape, strides: [broadcastStrides(self.shape, to: shape)]) { flat, offsets in
      result[flat] = values[offsets[0]]
    }
    return result
  }
}
