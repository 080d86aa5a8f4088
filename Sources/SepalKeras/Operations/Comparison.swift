import SepalGraph
import SepalTensor

extension OperationRules {
  static let comparisons: [String: Rule] = [
    "Equal": binary(Equal()), "math.equal": binary(Equal()), "__operators__.eq": binary(Equal()),
    "Greater": binary(Greater()), "math.greater": binary(Greater()),
    "GreaterEqual": binary(GreaterOrEqual()), "math.greater_equal": binary(GreaterOrEqual()),
    "Less": binary(Less()), "math.less": binary(Less()),
    "LessEqual": binary(LessOrEqual()), "math.less_equal": binary(LessOrEqual()),
    "NotEqual": notEqual, "math.not_equal": notEqual, "__operators__.ne": notEqual,
    "LogicalAnd": logical(And()), "math.logical_and": logical(And()),
    "LogicalOr": logical(Or()), "math.logical_or": logical(Or()),
    "LogicalXor": logical(Xor()), "math.logical_xor": logical(Xor()),
    "LogicalNot": logicalNot, "math.logical_not": logicalNot,
    "Isnan": isNaN, "math.is_nan": isNaN,
    "Isinf": isInfinite, "math.is_inf": isInfinite,
    "Isfinite": isFinite, "math.is_finite": isFinite,
    "Where": choose, "where": choose,
  ]

  private static func notEqual(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("incompatible_shape_error")
    let (a, b) = try context.pair()
    return [try context.add(Not(), [try context.add(Equal(), [a, b], step: "equal")])]
  }

  /// What is not zero is true.
  private static func logical(_ op: any Operator) -> Rule {
    { context throws(KerasError) in
      let a = try context.cast(try context.tensor(0, "x1", "x"), to: .bool, step: "a")
      let b = try context.cast(try context.tensor(1, "x2", "y"), to: .bool, step: "b")
      return [try context.add(op, [a, b])]
    }
  }

  private static func logicalNot(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.cast(try context.tensor(0, "x"), to: .bool, step: "bool")
    return [try context.add(Not(), [x])]
  }

  private static func isNaN(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.add(IsNaN(), [try context.floatTensor(0, "x")])]
  }

  private static func isInfinite(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let magnitude = try context.add(Abs(), [try context.floatTensor(0, "x")], step: "magnitude")
    return [
      try context.add(Equal(), [magnitude, context.scalar(.infinity, like: magnitude, step: "infinity")])
    ]
  }

  private static func isFinite(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let magnitude = try context.add(Abs(), [try context.floatTensor(0, "x")], step: "magnitude")
    return [
      try context.add(Less(), [magnitude, context.scalar(.infinity, like: magnitude, step: "infinity")])
    ]
  }

  /// One of two tensors by a condition. With the condition alone it would list positions.
  private static func choose(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let condition = try context.cast(try context.tensor(0, "condition"), to: .bool, step: "condition")
    let branches = try context.promoted(
      [try context.operand(1, "x1", "x"), try context.operand(2, "x2", "y")])
    return [try context.add(Where(), [condition] + branches)]
  }
}
