import SepalGraph
import SepalTensor

extension OperationRules {
  static let arithmetic: [String: Rule] = [
    "Add": binary(Add()), "math.add": binary(Add()), "__operators__.add": binary(Add()),
    "Divide": divide, "TrueDivide": divide, "math.divide": divide, "math.truediv": divide,
    "math.divide_no_nan": divideNoNaN,
    "FloorDivide": floorDivide, "compat.v1.floor_div": floorDivide, "math.floordiv": floorDivide,
    "LogAddExp": logAddExp, "Logaddexp": logAddExp,
    "Maximum": binary(Max()), "math.maximum": binary(Max()),
    "Minimum": binary(Min()), "math.minimum": binary(Min()),
    "Mod": binary(Mod()), "math.floormod": binary(Mod()), "math.mod": binary(Mod()),
    "Multiply": binary(Mul()), "math.multiply": binary(Mul()),
    "Power": binary(Pow()), "math.pow": binary(Pow()),
    "Subtract": binary(Sub()), "math.subtract": binary(Sub()),
    "math.squared_difference": squaredDifference,
    "math.accumulate_n": sum, "math.add_n": sum,
  ]

  /// Two operands, either of which may be a number or an array.
  static func binary(_ op: any Operator) -> Rule {
    { context throws(KerasError) in
      let (a, b) = try context.pair()
      return [try context.add(op, [a, b])]
    }
  }

  /// Integers are divided as float32.
  private static func divide(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var (a, b) = try context.pair(with: [.weakFloat])
    if context.layer.isTensorFlowOperation, !context.type(of: a).element.isFloat {
      guard context.type(of: a).element.size <= 2 else {
        throw KerasError(
          .unsupported, "divides \(context.type(of: a).element), which TensorFlow does in float64")
      }
      a = try context.cast(a, to: .float32, step: "a")
      b = try context.cast(b, to: .float32, step: "b")
    }
    return [try context.add(Div(), [a, b])]
  }

  /// a/b, and 0 where b is 0.
  private static func divideNoNaN(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let zero = context.scalar(0, like: b, step: "zero")
    let quotient = try context.add(Div(), [a, try context.floating(b)], step: "quotient")
    let isZero = try context.add(Equal(), [b, zero], step: "is_zero")
    return [try context.add(Where(), [isZero, zero, quotient])]
  }

  private static func floorDivide(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    guard !context.type(of: a).element.isFloat else {
      return [try context.add(Floor(), [try context.add(Div(), [a, b], step: "quotient")])]
    }
    // Integer division truncates; what is left after the remainder with the divisor's sign divides evenly.
    let remainder = try context.add(Mod(), [a, b], step: "remainder")
    let multiple = try context.add(Sub(), [a, remainder], step: "multiple")
    return [try context.add(Div(), [multiple, b])]
  }

  /// ln(eᵃ + eᵇ) = max(a, b) + softplus(−|a − b|).
  private static func logAddExp(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair(with: [.weakFloat])
    let distance = try context.add(
      Abs(), [try context.add(Sub(), [a, b], step: "difference")], step: "distance")
    let rest = try context.add(
      Softplus(), [try context.add(Neg(), [distance], step: "negative")], step: "rest")
    return [try context.add(Add(), [try context.add(Max(), [a, b], step: "larger"), rest])]
  }

  private static func squaredDifference(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (a, b) = try context.pair()
    let difference = try context.add(Sub(), [a, b], step: "difference")
    return [try context.add(Mul(), [difference, difference])]
  }

  /// The sum of a list of tensors of one type.
  private static func sum(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("shape", "tensor_dtype")
    let values = try context.tensors(0, "inputs")
    var result = values[0]
    for (index, value) in values.enumerated().dropFirst() {
      let isLast = index == values.count - 1
      result = try context.add(Add(), [result, value], step: isLast ? nil : "sum\(index)")
    }
    return [result]
  }
}

extension LayerContext {
  /// Two operands in one element type.
  func pair(with other: [NumberType] = []) throws(KerasError) -> (ValueID, ValueID) {
    let values = try promoted(
      [try operand(0, "x1", "x", "a"), try operand(1, "x2", "y", "b")], with: other)
    return (values[0], values[1])
  }
}
