import SepalGraph
import SepalTensor

/// Functions that take more than one operator.
///
/// Formulas are those of Keras, put so that every operator is elementwise over one value where there is a choice.
extension LayerContext {
  /// x for x > 0, α·(e^(x/α) − 1) below.
  func celu(_ x: ValueID, alpha: Double) throws(KerasError) -> ValueID {
    guard alpha > 0, alpha.isFinite else {
      throw unsupported("alpha", "is \(alpha), expected a positive number")
    }
    if alpha == 1 { return try add(Elu(), [x]) }
    let scaled = try add(Mul(), [x, scalar(1 / alpha, like: x, step: "reciprocal")], step: "scaled")
    return try add(
      Mul(), [try add(Elu(), [scaled], step: "elu"), scalar(alpha, like: x, step: "alpha")])
  }

  /// The first half along `axis` times the sigmoid of the second.
  func glu(_ x: ValueID, axis: Int) throws(KerasError) -> ValueID {
    let shape = shape(of: x)
    let axis = try self.axis(axis, rank: shape.count)
    guard shape[axis].isMultiple(of: 2) else {
      throw KerasError(.invalid, "is glu of \(type(of: x)), expected an even extent of axis \(axis)")
    }
    let halves = try addAll(
      Split(axis: axis, sizes: [shape[axis] / 2, shape[axis] / 2]), [x], step: "halves")
    return try add(Mul(), [halves[0], try add(Sigmoid(), [halves[1]], step: "gate")])
  }

  /// x where |x| > threshold, else 0.
  func hardShrink(_ x: ValueID, threshold: Double) throws(KerasError) -> ValueID {
    let magnitude = try add(Abs(), [x], step: "magnitude")
    let large = try add(
      Greater(), [magnitude, scalar(threshold, like: x, step: "threshold")], step: "large")
    return try add(Where(), [large, x, scalar(0, like: x, step: "zero")])
  }

  /// x − threshold above the threshold, x + threshold below its negative, else 0.
  func softShrink(_ x: ValueID, threshold: Double) throws(KerasError) -> ValueID {
    guard threshold >= 0 else {
      throw unsupported("threshold", "is \(threshold), expected no negative number")
    }
    return try add(Sub(), [x, try add(Clip(min: -threshold, max: threshold), [x], step: "clipped")])
  }

  /// x above the threshold, else `value`.
  func threshold(_ x: ValueID, _ threshold: Double, else value: Double) throws(KerasError) -> ValueID {
    let large = try add(Greater(), [x, scalar(threshold, like: x, step: "threshold")], step: "large")
    return try add(Where(), [large, x, scalar(value, like: x, step: "value")])
  }

  /// ln sigmoid(x) = −softplus(−x).
  func logSigmoid(_ x: ValueID) throws(KerasError) -> ValueID {
    let negative = try add(Neg(), [x], step: "negative")
    return try add(Neg(), [try add(Softplus(), [negative], step: "softplus")])
  }

  /// 0 up to −1, (x + 1)²/4 up to 1, x from there on: (clip(x) + 1)²/4 + max(x − 1, 0).
  func sparsePlus(_ x: ValueID) throws(KerasError) -> ValueID {
    let one = scalar(1, like: x, step: "one")
    let clipped = try add(Clip(min: -1, max: 1), [x], step: "clipped")
    let raised = try add(Add(), [clipped, one], step: "raised")
    let square = try add(Mul(), [raised, raised], step: "square")
    let parabola = try add(Mul(), [square, scalar(0.25, like: x, step: "quarter")], step: "parabola")
    let rest = try add(Relu(), [try add(Sub(), [x, one], step: "lowered")], step: "rest")
    return try add(Add(), [parabola, rest])
  }

  /// (x + √(x² + b))/2.
  func squareplus(_ x: ValueID, b: Double) throws(KerasError) -> ValueID {
    let square = try add(Mul(), [x, x], step: "square")
    let sum = try add(Add(), [square, scalar(b, like: x, step: "b")], step: "sum")
    let root = try add(Sqrt(), [sum], step: "root")
    let total = try add(Add(), [x, root], step: "total")
    return try add(Mul(), [total, scalar(0.5, like: x, step: "half")])
  }

  func tanhShrink(_ x: ValueID) throws(KerasError) -> ValueID {
    try add(Sub(), [x, try add(Tanh(), [x], step: "tanh")])
  }

  func softmax(_ x: ValueID, axis: Int) throws(KerasError) -> ValueID {
    try add(Softmax(axis: try self.axis(axis, rank: shape(of: x).count)), [x])
  }

  func logSoftmax(_ x: ValueID, axis: Int) throws(KerasError) -> ValueID {
    try add(LogSoftmax(axis: try self.axis(axis, rank: shape(of: x).count)), [x])
  }

  /// max(x − τ, 0) with x sorted downwards, k the number of places i where 1 + i·xᵢ > x₁ + … + xᵢ, and
  /// τ = (the sum of those partial sums − 1)/k: what Keras 3 computes, where Martins et al. 2016 have the last one alone.
  func sparsemax(_ x: ValueID, axis: Int) throws(KerasError) -> ValueID {
    let shape = shape(of: x)
    let axis = try self.axis(axis, rank: shape.count)
    guard shape[axis] > 0, shape[axis] <= 1 << 16 else {
      throw KerasError(.unsupported, "is sparsemax of \(type(of: x)), expected 1 to 65536 values")
    }
    let element = type(of: x).element
    let one = scalar(1, like: x, step: "one")
    let sorted = try addAll(TopK(axis: axis, k: shape[axis]), [x], step: "sorted")[0]
    let sums = try add(CumSum(axis: axis), [sorted], step: "sums")
    // The ranks 1, 2, … along the axis.
    var rankShape = [Int](repeating: 1, count: shape.count)
    rankShape[axis] = shape[axis]
    let ranks = add(
      constant: Tensor(element, rankShape, doubles: (1...shape[axis]).map(Double.init)), step: "ranks")
    let bounds = try add(
      Add(), [try add(Mul(), [sorted, ranks], step: "scaled"), one], step: "bounds")
    let isIn = try add(
      Cast(to: element), [try add(Greater(), [bounds, sums], step: "isIn")], step: "support")
    let size = try add(ReduceSum(axes: [axis]), [isIn], step: "size")
    let sum = try add(
      ReduceSum(axes: [axis]), [try add(Mul(), [isIn, sums], step: "supported")], step: "sum")
    let threshold = try add(
      Div(), [try add(Sub(), [sum, one], step: "excess"), size], step: "threshold")
    return try add(Relu(), [try add(Sub(), [x, threshold], step: "shifted")])
  }
}
