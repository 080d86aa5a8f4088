import SepalGraph

extension ImportRules {
  /// Gemm-7, -9, -11, -13: alpha·a·b + beta·c.
  static func gemm(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = Gemm()
    op.transA = try context.node.flag("transA", default: false)
    op.transB = try context.node.flag("transB", default: false)
    op.alpha = try context.number("alpha") ?? 1
    op.beta = try context.number("beta") ?? 1
    return [try context.add(op, context.inputs)]
  }
}
