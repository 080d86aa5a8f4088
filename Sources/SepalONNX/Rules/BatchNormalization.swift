import SepalGraph

extension ImportRules {
  /// BatchNormalization-7, -9, -14, -15 in inference: x, scale, bias, mean, variance.
  static func batchNormalization(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    if try context.node.flag("training_mode", default: false) {
      throw context.node.error(.unsupported, "is 1; only inference is supported", attribute: "training_mode")
    }
    var op = BatchNorm()
    op.epsilon = try context.number("epsilon") ?? op.epsilon
    var operands = context.inputs
    if try !context.node.flag("spatial", default: true) {
      operands = try perChannelOperands(context)
    }
    return [try context.add(op, operands)]
  }

  /// Before version 9, `spatial` = 0 gave every position its own statistics. With one position per channel that
  /// is the same as one per channel.
  private static func perChannelOperands(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let shape = try context.shape(0)
    guard shape.count >= 2, shape.dropFirst(2).allSatisfy({ $0 == 1 }) else {
      throw context.node.error(
        .unsupported, "is 0, which is supported only where x has one position per channel",
        attribute: "spatial")
    }
    var operands: [ValueID?] = [try context.input(0)]
    for (index, name) in ["scale", "bias", "mean", "variance"].enumerated() {
      operands.append(try context.reshape(try context.input(index + 1), to: [shape[1]], step: name))
    }
    return operands
  }
}
