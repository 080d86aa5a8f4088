import SepalGraph

/// One rule per ONNX operator of the default domain: from a node to operators of the graph.
///
/// A rule gives a value for each output of the node; outputs beyond those, and nil, are not supported and make the
/// import fail if something reads them.
enum ImportRules {
  typealias Rule = @Sendable (NodeContext) throws(ONNXError) -> [ValueID?]

  static let byOpType: [String: Rule] = [
    "Abs": same(Abs()),
    "Add": same(Add()),
    "And": same(And()),
    "ArgMax": argMax,
    "ArgMin": argMin,
    "AveragePool": averagePool,
    "BatchNormalization": batchNormalization,
    "Cast": cast,
    "CastLike": castLike,
    "Ceil": same(Ceil()),
    "Clip": clip,
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constantOfShape,
    "Conv": conv,
    "ConvTranspose": convTranspose,
    "Cos": same(Cos()),
    "CumSum": cumSum,
    "DepthToSpace": depthToSpace,
    "Div": same(Div()),
    "Dropout": dropout,
    "Elu": elu,
    "Equal": same(Equal()),
    "Erf": same(Erf()),
    "Exp": same(Exp()),
    "Expand": expand,
    "Flatten": flatten,
    "Floor": same(Floor()),
    "Gather": gather,
    "GatherElements": gatherElements,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": same(GlobalAveragePool()),
    "GlobalMaxPool": same(GlobalMaxPool()),
    "Greater": same(Greater()),
    "GreaterOrEqual": same(GreaterOrEqual()),
    "GroupNormalization": groupNormalization,
    "HardSigmoid": hardSigmoid,
    "HardSwish": same(HardSwish()),
    "Identity": identity,
    "InstanceNormalization": instanceNormalization,
    "IsNaN": same(IsNaN()),
    "LRN": localResponse,
    "LayerNormalization": layerNormalization,
    "LeakyRelu": leakyRelu,
    "Less": same(Less()),
    "LessOrEqual": same(LessOrEqual()),
    "Log": same(Log()),
    "LogSoftmax": logSoftmax,
    "MatMul": same(MatMul()),
    "Max": maximum,
    "MaxPool": maxPool,
    "Mean": mean,
    "Min": minimum,
    "Mish": same(Mish()),
    "Mod": modulo,
    "Mul": same(Mul()),
    "Neg": same(Neg()),
    "Not": same(Not()),
    "Or": same(Or()),
    "PRelu": same(PRelu()),
    "Pad": pad,
    "Pow": same(Pow()),
    "Range": range,
    "Reciprocal": same(Reciprocal()),
    "ReduceL1": reduce { ReduceL1(axes: $0, keepDims: $1) },
    "ReduceL2": reduce { ReduceL2(axes: $0, keepDims: $1) },
    "ReduceLogSum": reduceLogSum,
    "ReduceLogSumExp": reduce { ReduceLogSumExp(axes: $0, keepDims: $1) },
    "ReduceMax": reduce { ReduceMax(axes: $0, keepDims: $1) },
    "ReduceMean": reduce { ReduceMean(axes: $0, keepDims: $1) },
    "ReduceMin": reduce { ReduceMin(axes: $0, keepDims: $1) },
    "ReduceProd": reduce { ReduceProd(axes: $0, keepDims: $1) },
    "ReduceSum": reduce { ReduceSum(axes: $0, keepDims: $1) },
    "ReduceSumSquare": reduce { ReduceSumSquare(axes: $0, keepDims: $1) },
    "Relu": same(Relu()),
    "Reshape": reshape,
    "Resize": resize,
    "Round": same(Round()),
    "Selu": selu,
    "Shape": shape,
    "Sigmoid": same(Sigmoid()),
    "Sign": same(Sign()),
    "Sin": same(Sin()),
    "Size": size,
    "Slice": slice,
    "Softmax": softmax,
    "Softplus": same(Softplus()),
    "Softsign": same(Softsign()),
    "SpaceToDepth": spaceToDepth,
    "Split": split,
    "Sqrt": same(Sqrt()),
    "Squeeze": squeeze,
    "Sub": same(Sub()),
    "Sum": sum,
    "Swish": swish,
    "Tanh": same(Tanh()),
    "Tile": tile,
    "TopK": topK,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Upsample": upsample,
    "Where": same(Where()),
    "Xor": same(Xor()),
  ]

  /// The rule for a node; nil when its operator is not supported.
  static func rule(for node: ONNXNode) -> Rule? { node.domain.isEmpty ? byOpType[node.opType] : nil }

  /// For operators that mean the same here and there in all versions.
  static func same(_ op: any Operator) -> Rule {
    { (context) throws(ONNXError) in [try context.add(op, context.inputs)] }
  }

  /// Identity-1 to -25.
  static func identity(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try context.identity(try context.input(0))]
  }
}
