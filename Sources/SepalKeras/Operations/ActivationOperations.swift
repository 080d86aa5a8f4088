import SepalGraph

extension OperationRules {
  static let activations: [String: Rule] = [
    "Celu": { context throws(KerasError) in
      [try context.celu(try context.floatTensor(0, "x"), alpha: try context.number("alpha", default: 1))]
    },
    "Elu": elu, "nn.elu": elu,
    "Gelu": gelu(approximate: true), "nn.gelu": gelu(approximate: false),
    "Glu": { context throws(KerasError) in
      [try context.glu(try context.floatTensor(0, "x"), axis: try context.int("axis", default: -1))]
    },
    "HardShrink": { context throws(KerasError) in
      let threshold = try context.number("threshold", default: 0.5)
      return [try context.hardShrink(try context.floatTensor(0, "x"), threshold: threshold)]
    },
    "HardSigmoid": float(HardSigmoid(alpha: 1.0 / 6, beta: 0.5)),
    "HardSilu": float(HardSwish()), "HardSwish": float(HardSwish()),
    "HardTanh": float(Clip(min: -1, max: 1)),
    "LeakyRelu": leakyRelu, "nn.leaky_relu": leakyRelu,
    "LogSigmoid": logSigmoid, "math.log_sigmoid": logSigmoid, "nn.log_sigmoid": logSigmoid,
    "LogSoftmax": logSoftmax, "nn.log_softmax": logSoftmax,
    "Mish": float(Mish()),
    // What `keras.activations.relu` becomes.
    "ReLU": LayerRules.relu,
    "Relu": unary(Relu()), "nn.relu": unary(Relu()),
    "Relu6": unary(Clip(min: 0, max: 6)), "nn.relu6": unary(Clip(min: 0, max: 6)),
    "Selu": float(Selu()), "nn.selu": float(Selu()),
    "Sigmoid": float(Sigmoid()), "math.sigmoid": float(Sigmoid()), "nn.sigmoid": float(Sigmoid()),
    "Silu": silu, "nn.silu": silu, "nn.swish": silu,
    "SoftShrink": { context throws(KerasError) in
      let threshold = try context.number("threshold", default: 0.5)
      return [try context.softShrink(try context.floatTensor(0, "x"), threshold: threshold)]
    },
    "Softmax": LayerRules.softmax, "nn.softmax": LayerRules.softmax,
    "Softplus": float(Softplus()), "math.softplus": float(Softplus()), "nn.softplus": float(Softplus()),
    "Softsign": float(Softsign()), "nn.softsign": float(Softsign()), "math.softsign": float(Softsign()),
    "SparsePlus": { context throws(KerasError) in [try context.sparsePlus(try context.floatTensor(0, "x"))] },
    "SparseSigmoid": float(HardSigmoid(alpha: 0.5, beta: 0.5)),
    "Sparsemax": { context throws(KerasError) in
      [try context.sparsemax(try context.floatTensor(0, "x"), axis: try context.int("axis", default: -1))]
    },
    "Squareplus": { context throws(KerasError) in
      [try context.squareplus(try context.floatTensor(0, "x"), b: try context.number("b", default: 4))]
    },
    "Tanh": float(Tanh()), "math.tanh": float(Tanh()), "nn.tanh": float(Tanh()),
    "TanhShrink": { context throws(KerasError) in [try context.tanhShrink(try context.floatTensor(0, "x"))] },
    "Threshold": { context throws(KerasError) in
      let (threshold, value) = (try context.number("threshold"), try context.number("default_value"))
      return [try context.threshold(try context.floatTensor(0, "x"), threshold, else: value)]
    },
  ]

  private static func elu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "features")
    return [try context.add(Elu(alpha: try context.number("alpha", default: 1)), [x])]
  }

  private static func gelu(approximate: Bool) -> Rule {
    { context throws(KerasError) in
      let x = try context.floatTensor(0, "x", "features")
      return [try context.add(Gelu(approximate: try context.bool("approximate", default: approximate)), [x])]
    }
  }

  private static func leakyRelu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "features")
    let field = context.layer.isTensorFlowOperation ? "alpha" : "negative_slope"
    return [try context.add(LeakyRelu(alpha: try context.number(field, default: 0.2)), [x])]
  }

  private static func silu(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "features")
    let beta = try context.number("beta", default: 1)
    guard beta != 1 else { return [try context.add(Silu(), [x])] }
    let scaled = try context.add(Mul(), [x, context.scalar(beta, like: x, step: "beta")], step: "scaled")
    return [try context.add(Mul(), [x, try context.add(Sigmoid(), [scaled], step: "gate")])]
  }

  private static func logSigmoid(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    [try context.logSigmoid(try context.floatTensor(0, "x"))]
  }

  private static func logSoftmax(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "logits")
    return [try context.logSoftmax(x, axis: try context.int("axis", default: -1))]
  }
}
