import SepalTensor

/// Every `step`-th element from `start` (included) to `end` (excluded) along some axes; the others are kept whole.
///
/// Bounds are stored literally: they are positions between 0 and the extent, never counted from the back. Only the end
/// of a negative step may be −1, to include position 0. `normalized` turns ONNX's conventions into this form.
/// - Inputs: x, any type. Outputs: same type and rank. Source: ONNX Slice-13.
public struct Slice: Operator {
  public static let schema = OperatorSchema(
    "Slice", inputs: ["x"],
    attributes: [
      AttributeField("axes", \Slice.axes), AttributeField("starts", \Slice.starts),
      AttributeField("ends", \Slice.ends), AttributeField("steps", \Slice.steps),
    ])
  public var axes: [Int] = []
  public var starts: [Int] = []
  public var ends: [Int] = []
  public var steps: [Int] = []

  public init() {}

  /// `steps` are all 1 when absent.
  public init(axes: [Int], starts: [Int], ends: [Int], steps: [Int]? = nil) {
    self.axes = axes
    self.starts = starts
    self.ends = ends
    self.steps = steps ?? axes.map { _ in 1 }
  }

  /// A slice of a tensor of `shape` as ONNX and numpy state it: negative bounds count from the back, bounds out of
  /// range are clamped, `axes` default to the first ones and may be negative, `steps` default to 1.
  /// The result has ascending axes; an empty range is stored as 0 to 0.
  public static func normalized(
    axes: [Int]?, starts: [Int], ends: [Int], steps: [Int]?, shape: [Int]
  ) throws(OperatorError) -> Slice {
    let given = axes ?? Array(0..<starts.count)
    let steps = steps ?? given.map { _ in 1 }
    guard starts.count == given.count, ends.count == given.count, steps.count == given.count else {
      throw OperatorError(
        "\(given.count) axes, \(starts.count) starts, \(ends.count) ends and \(steps.count) steps, expected equal counts"
      )
    }
    let ascending = try normalizedAxes(given, rank: shape.count)
    var result = Slice(axes: ascending, starts: starts, ends: ends, steps: steps)
    for (index, axis) in given.enumerated() {
      let axis = try normalizedAxis(axis, rank: shape.count)
      guard let position = ascending.firstIndex(of: axis) else { continue }
      let (extent, step) = (shape[axis], steps[index])
      guard step != 0 else { throw OperatorError("'steps' is \(steps), expected no zero") }
      func clamped(_ bound: Int) -> Int {
        let fromFront = bound < 0 ? bound + extent : bound
        return step > 0 ? min(max(fromFront, 0), extent) : min(max(fromFront, -1), extent - 1)
      }
      let (start, end) = (clamped(starts[index]), clamped(ends[index]))
      let isEmpty = step > 0 ? start >= end : start <= end
      result.starts[position] = isEmpty ? 0 : start
      result.ends[position] = isEmpty ? 0 : end
      result.steps[position] = step
    }
    return result
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    var output = inputs[0]
    for (name, list) in [("starts", starts), ("ends", ends), ("steps", steps)]
    where list.count != axes.count {
      throw OperatorError("'\(name)' has \(list.count) values, expected \(axes.count)")
    }
    guard try normalizedAxes(axes, rank: output.rank) == axes else {
      throw OperatorError("'axes' is \(axes), expected ascending axes counted from the front")
    }
    for (index, axis) in axes.enumerated() {
      let extent = output.shape[axis]
      guard steps[index] != 0 else { throw OperatorError("'steps' is \(steps), expected no zero") }
      let isBackward = steps[index] < 0 && extent > 0
      let (lastStart, firstEnd) = isBackward ? (extent - 1, -1) : (extent, 0)
      guard (0...lastStart).contains(starts[index]), (firstEnd...extent).contains(ends[index]) else {
        throw OperatorError(
          "'starts' is \(starts) and 'ends' is \(ends), which leaves axis \(axis) of \(inputs[0])")
      }
      output.shape[axis] = count(index)
    }
    return [output]
  }

  /// Positions visited along `axes[index]`.
  private func count(_ index: Int) -> Int {
    let distance = steps[index] > 0 ? ends[index] - starts[index] : starts[index] - ends[index]
    guard distance > 0 else { return 0 }
    return Int((distance.magnitude - 1) / steps[index].magnitude) + 1
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    var strides = rowMajorStrides(x.shape)
    var offset = 0
    for (index, axis) in axes.enumerated() {
      offset += starts[index] * strides[axis]
      // A step beyond the axis is legal, visits one position, and must not overflow the stride.
      strides[axis] = output.shape[axis] > 1 ? strides[axis] * steps[index] : 0
    }
    return [x.region(output.shape, offset: offset, strides: strides)]
  }
}
