import SepalGraph

extension ImportRules {
  /// MaxPool-1, -8, -10, -11, -12, -22. `storage_order` concerns only the indices output.
  static func maxPool(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let window = try WindowAttributes(context, input: try context.shape(0), kernel: nil)
    var op = MaxPool()
    op.kernel = window.kernel
    op.strides = window.strides
    op.padBegins = window.padBegins
    op.padEnds = window.padEnds
    op.dilations = window.dilations
    op.ceilMode = try context.node.flag("ceil_mode", default: false)
    return [try context.add(op, context.inputs)]
  }

  /// AveragePool-7, -10, -11, -19, -22.
  static func averagePool(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let window = try WindowAttributes(context, input: try context.shape(0), kernel: nil)
    var op = AveragePool()
    op.kernel = window.kernel
    op.strides = window.strides
    op.padBegins = window.padBegins
    op.padEnds = window.padEnds
    op.dilations = window.dilations
    op.ceilMode = try context.node.flag("ceil_mode", default: false)
    op.countIncludePad = try context.node.flag("count_include_pad", default: false)
    return [try context.add(op, context.inputs)]
  }
}
