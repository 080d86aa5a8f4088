import SepalGraph

/// Activation functions with parameters. Absent attributes take the operator's own defaults, which are ONNX's.
extension ImportRules {
  /// LeakyRelu-6, -16.
  static func leakyRelu(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = LeakyRelu()
    op.alpha = try context.number("alpha") ?? op.alpha
    return [try context.add(op, context.inputs)]
  }

  /// Elu-6, -22.
  static func elu(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = Elu()
    op.alpha = try context.number("alpha") ?? op.alpha
    return [try context.add(op, context.inputs)]
  }

  /// Selu-6, -22.
  static func selu(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = Selu()
    op.alpha = try context.number("alpha") ?? op.alpha
    op.gamma = try context.number("gamma") ?? op.gamma
    return [try context.add(op, context.inputs)]
  }

  /// HardSigmoid-6, -22.
  static func hardSigmoid(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = HardSigmoid()
    op.alpha = try context.number("alpha") ?? op.alpha
    op.beta = try context.number("beta") ?? op.beta
    return [try context.add(op, context.inputs)]
  }

  /// Gelu-20.
  static func gelu(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let approximate = try context.choice("approximate", default: "none", ["none": false, "tanh": true])
    return [try context.add(Gelu(approximate: approximate), context.inputs)]
  }

  /// Swish-24: x·sigmoid(α·x).
  static func swish(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let alpha = try context.number("alpha") ?? 1
    if alpha == 1 { return [try context.add(Silu(), [x])] }
    let factor = context.add(scalar: alpha, context.type(of: x).element, step: "alpha")
    let scaled = try context.add(Mul(), [x, factor], step: "scale")
    let gate = try context.add(Sigmoid(), [scaled], step: "gate")
    return [try context.add(Mul(), [x, gate])]
  }
}
