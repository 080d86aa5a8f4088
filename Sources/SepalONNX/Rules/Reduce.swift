import SepalGraph
import SepalTensor

extension ImportRules {
  /// ReduceSum-1, -11, -13; the others -1, -11, -12, -13, -18, -20: axes move from an attribute to an operand.
  static func reduce(_ make: @escaping @Sendable ([Int], Bool) -> any Operator) -> Rule {
    { (context) throws(ONNXError) in
      let (axes, keepDims) = try reduction(context)
      return [try context.add(make(axes, keepDims), [try context.input(0)])]
    }
  }

  /// ReduceLogSum-1, -11, -13, -18: log Σx.
  static func reduceLogSum(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let (axes, keepDims) = try reduction(context)
    let op = ReduceSum(axes: axes, keepDims: keepDims)
    let total = try context.add(op, [try context.input(0)], step: "sum")
    return [try context.add(Log(), [total])]
  }

  /// No axes means all of them, unless `noop_with_empty_axes`.
  private static func reduction(_ context: NodeContext) throws(ONNXError) -> (axes: [Int], keepDims: Bool) {
    let rank = try context.shape(0).count
    let keepDims = try context.node.flag("keepdims", default: true)
    let given = try context.ints("axes", orInput: 1) ?? []
    if given.isEmpty {
      let keepsAll = try context.node.flag("noop_with_empty_axes", default: false)
      return (keepsAll ? [] : Array(0..<rank), keepDims)
    }
    return (try context.axes(given, rank: rank).sorted(), keepDims)
  }
}
