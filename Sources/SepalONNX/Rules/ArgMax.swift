import SepalGraph
import SepalTensor

/// Operators that search or scan along one axis.
extension ImportRules {
  /// ArgMax-1, -11, -12, -13.
  static func argMax(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = ArgMax()
    op.axis = try context.axis(default: 0, rank: try context.shape(0).count)
    op.keepDims = try context.node.flag("keepdims", default: true)
    op.selectLast = try context.node.flag("select_last_index", default: false)
    return [try context.add(op, context.inputs)]
  }

  /// ArgMin-1, -11, -12, -13.
  static func argMin(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = ArgMin()
    op.axis = try context.axis(default: 0, rank: try context.shape(0).count)
    op.keepDims = try context.node.flag("keepdims", default: true)
    op.selectLast = try context.node.flag("select_last_index", default: false)
    return [try context.add(op, context.inputs)]
  }

  /// TopK-1 with k as an attribute, -10, -11, -24 with an operand.
  static func topK(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = TopK()
    op.axis = try context.axis(default: -1, rank: try context.shape(0).count)
    let operand = try context.constantScalar(1, "k")?.integers()?.first
    let attribute = try context.node.int("k")
    op.k = try context.node.required("k", operand.map { Int($0) } ?? attribute)
    op.largest = try context.node.flag("largest", default: true)
    op.sorted = try context.node.flag("sorted", default: true)
    return try context.addAll(op, [try context.input(0)])
  }

  /// CumSum-11, -14.
  static func cumSum(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = CumSum()
    let axis = try context.constantScalar(1, "axis")?.integers()?.first
    op.axis = try context.axis(
      Int(try context.required(axis, input: 1, "axis")), rank: try context.shape(0).count, "axis")
    op.exclusive = try context.node.flag("exclusive", default: false)
    op.reverse = try context.node.flag("reverse", default: false)
    return [try context.add(op, [try context.input(0)])]
  }
}
