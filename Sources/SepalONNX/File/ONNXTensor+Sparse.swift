import SepalTensor

extension ONNXTensor {
  /// A dense tensor from its non-zero elements. `values` has shape [n]; `indices`, int64, is [n] with positions
  /// in row-major order or [n, rank] with coordinates.
  func dense(
    _ type: TensorType, values: ONNXTensor, indices: ONNXTensor
  ) throws(ONNXError) -> Tensor {
    let values = try values.tensor()
    let indices = try indices.tensor()
    guard values.element == type.element, values.shape.count == 1 else {
      throw error(.invalid, "has sparse values of type \(values.type), expected \(type.element)[n]")
    }
    let isLinear = indices.shape == [values.count]
    guard indices.element == .int64, isLinear || indices.shape == [values.count, type.rank],
      let indices = indices.integers()
    else {
      throw error(
        .invalid,
        "has sparse indices of type \(indices.type), expected int64[\(values.count)] or int64[\(values.count)x\(type.rank)]"
      )
    }
    var positions: [Int] = []
    positions.reserveCapacity(values.count)
    for element in 0..<values.count {
      let position =
        isLinear
        ? Self.position([indices[element]], in: [type.count])
        : Self.position(indices[element * type.rank..<(element + 1) * type.rank], in: type.shape)
      guard let position else {
        throw error(.invalid, "has the sparse element \(element) outside its shape \(Self.list(dims))")
      }
      positions.append(position)
    }
    let size = type.element.size
    return Tensor(type) { target in
      values.withUnsafeBytes { source in
        for (element, position) in positions.enumerated() {
          UnsafeMutableRawBufferPointer(rebasing: target[position * size..<(position + 1) * size])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[element * size..<(element + 1) * size]))
        }
      }
    }
  }

  private static func position(_ coordinates: some Sequence<Int64>, in shape: [Int]) -> Int? {
    var position = 0
    for (coordinate, dim) in zip(coordinates, shape) {
      guard coordinate >= 0, coordinate < dim else { return nil }
      position = position * dim + Int(coordinate)
    }
    return position
  }
}
