import SepalGraph
import SepalTensor

extension ImportRules {
  /// InstanceNormalization-6, -22.
  static func instanceNormalization(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = InstanceNorm()
    op.epsilon = try context.number("epsilon") ?? op.epsilon
    return [try context.add(op, context.inputs)]
  }

  /// LayerNormalization-17. The mean and inverse deviation outputs are for training.
  static func layerNormalization(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = LayerNorm()
    op.axis = try context.axis(default: -1, rank: try context.shape(0).count)
    op.epsilon = try context.number("epsilon") ?? op.epsilon
    return [try context.add(op, context.inputs)]
  }

  /// GroupNormalization-18 with a scale and bias per group, -21 per channel.
  static func groupNormalization(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = GroupNorm()
    op.groups = try context.node.required("num_groups", try context.node.int("num_groups"))
    op.epsilon = try context.number("epsilon") ?? op.epsilon
    var operands: [ValueID?] = [try context.input(0), try context.input(1), try context.input(2)]
    if context.opset < 21 {
      let shape = try context.shape(0)
      guard shape.count >= 2, op.groups > 0, shape[1] % op.groups == 0 else {
        throw context.node.error(
          .invalid, "is \(op.groups), expected a divisor of the channels of x", attribute: "num_groups")
      }
      for (index, name) in [(1, "scale"), (2, "bias")] {
        operands[index] = try perChannel(context, index, name, groups: op.groups, channels: shape[1])
      }
    }
    return [try context.add(op, operands)]
  }

  private static func perChannel(
    _ context: NodeContext, _ index: Int, _ name: String, groups: Int, channels: Int
  ) throws(ONNXError) -> ValueID {
    let column = try context.reshape(try context.input(index), to: [groups, 1], step: "\(name)/column")
    let repeated = try context.add(
      Expand(shape: [groups, channels / groups]), [column], step: "\(name)/repeated")
    return try context.reshape(repeated, to: [channels], step: name)
  }

  /// LRN-1, -13.
  static func localResponse(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = LRN()
    op.size = try context.node.required("size", try context.node.int("size"))
    op.alpha = try context.number("alpha") ?? op.alpha
    op.beta = try context.number("beta") ?? op.beta
    op.bias = try context.number("bias") ?? op.bias
    return [try context.add(op, context.inputs)]
  }
}
