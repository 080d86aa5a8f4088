import SepalTensor

/// The position of the extreme element along one axis, as int64.
public protocol ArgExtremum: Operator {
  var axis: Int { get set }
  /// Whether the axis stays, with extent 1.
  var keepDims: Bool { get set }
  /// Which of several equal elements wins: the last or the first.
  var selectLast: Bool { get set }
  /// Whether `a` beats `b`.
  func isBefore<Value: Comparable>(_ a: Value, _ b: Value) -> Bool
}

extension ArgExtremum {
  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard x.element != .bool else { throw OperatorError("does not take bool") }
    let axis = try normalizedAxis(axis, rank: x.rank)
    guard x.shape[axis] > 0 else { throw OperatorError("axis \(axis) of x \(x) is empty") }
    var shape = x.shape
    if keepDims { shape[axis] = 1 } else { shape.remove(at: axis) }
    return [TensorType(.int64, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    let lanes = AxisLanes(shape: x.shape, axis: try normalizedAxis(axis, rank: x.type.rank))
    let positions = x.integers().map { winners($0, lanes) } ?? winners(x.doubles(), lanes)
    return [Tensor(.int64, output.shape, integers: positions)]
  }

  private func winners<Value: Comparable>(_ values: [Value], _ lanes: AxisLanes) -> [Int64] {
    (0..<lanes.count).map { lane in
      var best = 0
      for index in 1..<lanes.extent {
        let (challenger, leader) = (values[lanes.offset(lane, index)], values[lanes.offset(lane, best)])
        if isBefore(challenger, leader) || (selectLast && challenger == leader) { best = index }
      }
      return Int64(best)
    }
  }
}
