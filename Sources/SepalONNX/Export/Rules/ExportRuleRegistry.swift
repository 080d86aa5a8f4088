import SepalGraph

/// One rule per operator of the graph: from a node to nodes of standard ONNX operators.
///
/// A rule gives a value for each output of the node; nil where nothing reads it.
enum ExportRules {
  typealias Rule = @Sendable (NodeExport) throws(ONNXError) -> [ExportedValue?]

  static let byOperator: [String: Rule] = [
    "Abs": same,
    "Add": activated { (op: Add) in ("Add", op.activation) },
    "And": same,
    "Arange": rule(arange),
    "ArgMax": rule { (op: ArgMax, node) in argExtremum("ArgMax", op, node) },
    "ArgMin": rule { (op: ArgMin, node) in argExtremum("ArgMin", op, node) },
    "AveragePool": rule(averagePool),
    "BatchNorm": rule(batchNorm),
    "Cast": rule(cast),
    "Ceil": same,
    "Clip": activation,
    "Concat": rule(concat),
    "Conv": rule(conv),
    "ConvTranspose": rule(convTranspose),
    "Cos": same,
    "CumSum": rule(cumSum),
    "DepthToSpace": rule(depthToSpace),
    "Div": same,
    "Elu": activation,
    "Equal": same,
    "Erf": same,
    "Exp": same,
    "Expand": rule(expand),
    "Floor": same,
    "GRU": rule(gru),
    "Gather": rule(gather),
    "GatherElements": rule(gatherElements),
    "Gelu": activation,
    "Gemm": rule(gemm),
    "GlobalAveragePool": rule(globalAveragePool),
    "GlobalMaxPool": rule(globalMaxPool),
    "Greater": same,
    "GreaterOrEqual": same,
    "GroupNorm": rule(groupNorm),
    "HardSigmoid": activation,
    "HardSwish": activation,
    "Identity": identity,
    "InstanceNorm": rule(instanceNorm),
    "IsNaN": same,
    "LRN": rule(localResponse),
    "LSTM": rule(lstm),
    "LayerNorm": rule(layerNorm),
    "LeakyRelu": activation,
    "Less": same,
    "LessOrEqual": same,
    "Log": same,
    "LogSoftmax": rule(logSoftmax),
    "MatMul": same,
    "Max": same,
    "MaxPool": rule(maxPool),
    "Min": same,
    "Mish": mish,
    "Mod": rule(modulo),
    "Mul": activated { (op: Mul) in ("Mul", op.activation) },
    "Neg": same,
    "Not": same,
    "Or": same,
    "PRelu": same,
    "Pad": rule(pad),
    "Pow": same,
    "Reciprocal": same,
    "ReduceL1": rule { (op: ReduceL1, node) in reduction(op, node) { node.add("Abs", [$0]) } },
    "ReduceL2": rule { (op: ReduceL2, node) in reduction(op, node) { node.add("Abs", [$0]) } },
    "ReduceLogSumExp": rule { (op: ReduceLogSumExp, node) in reduction(op, node) { $0 } },
    "ReduceMax": rule { (op: ReduceMax, node) in reduction(op, node) { $0 } },
    "ReduceMean": rule { (op: ReduceMean, node) in reduction(op, node) { $0 } },
    "ReduceMin": rule { (op: ReduceMin, node) in reduction(op, node) { $0 } },
    "ReduceProd": rule { (op: ReduceProd, node) in reduction(op, node) { $0 } },
    "ReduceSum": rule { (op: ReduceSum, node) in reduction(op, node) { $0 } },
    "ReduceSumSquare": rule { (op: ReduceSumSquare, node) in
      reduction(op, node) { node.add("Mul", [$0, $0]) }
    },
    "Relu": activation,
    "Reshape": rule(reshape),
    "Resize": rule(resize),
    "Round": same,
    "ScaleShift": rule(scaleShift),
    "Selu": rule { (op: Selu, node) in
      [node.add("Selu", node.inputs, ["alpha": .float(op.alpha), "gamma": .float(op.gamma)])]
    },
    "Sigmoid": activation,
    "Sign": same,
    "Silu": activation,
    "SimpleRNN": rule(simpleRNN),
    "Sin": same,
    "Slice": rule(slice),
    "Softmax": rule(softmax),
    "Softplus": same,
    "Softsign": same,
    "SpaceToDepth": rule(spaceToDepth),
    "Split": rule(split),
    "Sqrt": same,
    "SqueezeExcite": rule(squeezeExcite),
    "Sub": same,
    "Tanh": activation,
    "Tile": rule(tile),
    "TopK": rule(topK),
    "Transpose": rule(transpose),
    "Where": same,
    "Xor": same,
  ]

  /// A rule for operators of one type.
  static func rule<Op: Operator>(
    _ body: @escaping @Sendable (Op, NodeExport) throws(ONNXError) -> [ExportedValue?]
  ) -> Rule {
    { (node) throws(ONNXError) in
      guard let op = node.node.op(as: Op.self) else { preconditionFailure("the rule is for \(Op.self)") }
      return try body(op, node)
    }
  }

  /// For operators that have the same name and meaning here and there.
  static let same: Rule = { (node) throws(ONNXError) in [node.add(node.node.op.name, node.inputs)] }

  /// For operators of one node whose activation becomes nodes behind it.
  static func activated<Op: Operator>(
    _ parts: @escaping @Sendable (Op) -> (opType: String, activation: Activation)
  ) -> Rule {
    rule { (op: Op, node) throws(ONNXError) in
      let (opType, activation) = parts(op)
      return [node.activated(opType, node.inputs, activation)]
    }
  }

  /// x itself: readers read what the node reads.
  static let identity: Rule = { (node) throws(ONNXError) in [node.input(0)] }
}
