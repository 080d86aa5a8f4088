import SepalGraph
import SepalTensor

extension LayerRules {
  /// x above `threshold`, at most `max_value`; negative_slope·(x − threshold) up to there.
  static func relu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let largest = try context.optionalNumber("max_value")
    let slope = try context.number("negative_slope", default: 0)
    let threshold = try context.number("threshold", default: 0)
    guard largest ?? 0 >= 0 else { throw context.invalid("max_value", "is negative") }
    guard threshold >= 0 else { throw context.invalid("threshold", "is negative") }
    if threshold != 0 {
      let above = try context.add(
        Greater(), [input, context.add(scalar: threshold, step: "threshold")], step: "above")
      let bounded = try context.atMost(largest, input, step: "bounded")
      return [try context.add(Where(), [above, bounded, try context.below(threshold, slope, input)])]
    }
    if slope != 0 {
      let leaky = try context.add(LeakyRelu(alpha: slope), [input], step: largest == nil ? nil : "leaky")
      return [try context.atMost(largest, leaky, step: nil)]
    }
    return [try context.add(largest.map { Clip(min: 0, max: $0) } ?? Relu(), [input])]
  }

  static func leakyReLU(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let slope = try context.number(context.spelling("negative_slope", "alpha"), default: 0.3)
    return [try context.add(LeakyRelu(alpha: slope), [try context.input()])]
  }

  /// A slope for each element of a sample, or one along `shared_axes`.
  static func prelu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    var shape = context.shape(of: input)
    if context.entry("shared_axes") != nil {
      for axis in try context.axes("shared_axes", rank: shape.count) {
        guard axis > 0 else { throw context.invalid("shared_axes", "names the batch") }
        shape[axis] = 1
      }
    }
    let slope = try context.variables([VariableSpec("alpha", "alphas", shape: Array(shape.dropFirst()))])[0]
    return [try context.add(PRelu(), [input, try context.parameter("alpha", slope)])]
  }

  static func elu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.add(Elu(alpha: try context.number("alpha", default: 1)), [try context.input()])]
  }

  /// x above theta, 0 up to there.
  static func thresholdedReLU(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let theta = context.add(scalar: try context.number("theta", default: 1), step: "theta")
    let above = try context.add(Greater(), [input, theta], step: "above")
    return [try context.add(Where(), [above, input, context.add(scalar: 0, step: "zero")])]
  }

  /// Over one axis, or over several as if they were one.
  static func softmax(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    let rank = shape.count
    let axes = try context.entry("axis") == nil ? [rank - 1] : context.axes(rank: rank).sorted()
    guard axes.count != 1 else { return [try context.add(Softmax(axis: axes[0]), [input])] }
    let order = (0..<rank).filter { !axes.contains($0) } + axes
    let moved = try context.transpose(input, order, step: "axes_last")
    let movedShape = order.map { shape[$0] }
    let kept = rank - axes.count
    let joined = Array(movedShape[..<kept]) + [movedShape[kept...].reduce(1, *)]
    let rows = try context.reshape(moved, to: joined, step: "joined")
    let result = try context.add(Softmax(axis: kept), [rows], step: "softmax")
    if order == Array(0..<rank) { return [try context.add(Reshape(shape: shape), [result])] }
    let split = try context.add(Reshape(shape: movedShape), [result], step: "split")
    return [try context.transpose(split, inverse(order))]
  }
}

extension LayerContext {
  fileprivate func atMost(_ largest: Double?, _ value: ValueID, step: String?) throws(KerasError) -> ValueID {
    guard let largest else { return value }
    return try add(Clip(min: -.infinity, max: largest), [value], step: step)
  }

  /// slope·(x − threshold)
  fileprivate func below(_ threshold: Double, _ slope: Double, _ value: ValueID) throws(KerasError) -> ValueID
  {
    guard slope != 0 else { return add(scalar: 0, step: "zero") }
    let distance = try add(Sub(), [value, add(scalar: threshold, step: "threshold")], step: "distance")
    return try add(Mul(), [distance, add(scalar: slope, step: "slope")], step: "below")
  }
}
