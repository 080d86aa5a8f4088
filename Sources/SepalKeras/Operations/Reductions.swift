import SepalGraph
import SepalTensor

extension OperationRules {
  static let reductions: [String: Rule] = [
    "All": truth(isAll: true), "math.reduce_all": truth(isAll: true),
    "Any": truth(isAll: false), "math.reduce_any": truth(isAll: false),
    "Amax": extremum { ReduceMax(axes: $0, keepDims: $1) },
    "Max": extremum { ReduceMax(axes: $0, keepDims: $1) },
    "math.reduce_max": extremum { ReduceMax(axes: $0, keepDims: $1) },
    "Amin": extremum { ReduceMin(axes: $0, keepDims: $1) },
    "Min": extremum { ReduceMin(axes: $0, keepDims: $1) },
    "math.reduce_min": extremum { ReduceMin(axes: $0, keepDims: $1) },
    "Average": mean, "Mean": mean, "math.reduce_mean": mean,
    "CountNonzero": countNonzero,
    "Logsumexp": logSumExp, "math.reduce_logsumexp": logSumExp,
    "Moments": moments, "nn.moments": moments,
    "Norm": norm, "compat.v1.norm": norm, "norm": norm,
    "Prod": accumulated { ReduceProd(axes: $0, keepDims: $1) },
    "math.reduce_prod": accumulated { ReduceProd(axes: $0, keepDims: $1) },
    "Std": variance(isRoot: true), "math.reduce_std": variance(isRoot: true),
    "Sum": accumulated { ReduceSum(axes: $0, keepDims: $1) },
    "math.reduce_sum": accumulated { ReduceSum(axes: $0, keepDims: $1) },
    "Var": variance(isRoot: false), "math.reduce_variance": variance(isRoot: false),
    "Cumsum": cumulativeSum, "math.cumsum": cumulativeSum,
    "Argmax": argument { ArgMax(axis: $0, keepDims: $1) },
    "math.argmax": argument { ArgMax(axis: $0, keepDims: $1) },
    "Argmin": argument { ArgMin(axis: $0, keepDims: $1) },
    "math.argmin": argument { ArgMin(axis: $0, keepDims: $1) },
    "TopK": topK, "math.top_k": topK, "nn.top_k": topK,
  ]

  private typealias Reduction = @Sendable (_ axes: [Int], _ keepDims: Bool) -> any Operator

  private static func extremum(_ op: @escaping Reduction) -> Rule {
    { context throws(KerasError) in
      let x = try context.tensor(0, "x", "input_tensor")
      return [try context.reduce(x, op)]
    }
  }

  /// Sums and products. Keras 3 widens small integers.
  private static func accumulated(_ op: @escaping Reduction) -> Rule {
    { context throws(KerasError) in
      var x = try context.tensor(0, "x", "input_tensor")
      if !context.layer.isTensorFlowOperation {
        let element = context.type(of: x).element
        let wide: ElementType =
          switch element {
          case .bool, .int8, .int16: .int32
          case .uint8, .uint16: .uint32
          default: element
          }
        x = try context.cast(x, to: try context.elementType("dtype", default: wide), step: "wide")
      }
      return [try context.reduce(x, op)]
    }
  }

  private static func truth(isAll: Bool) -> Rule {
    { context throws(KerasError) in
      let x = try context.tensor(0, "x", "input_tensor")
      // As numbers: the operators that the runtime has compare these.
      let flags = try context.cast(
        try context.cast(x, to: .bool, step: "bool"), to: .int32, step: "flags")
      let result = try context.reduce(flags, step: "reduced") {
        isAll ? ReduceMin(axes: $0, keepDims: $1) as any Operator : ReduceMax(axes: $0, keepDims: $1)
      }
      return [try context.add(Cast(to: .bool), [result])]
    }
  }

  private static func countNonzero(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.cast(try context.tensor(0, "x"), to: .bool, step: "bool")
    let flags = try context.add(Cast(to: .int32), [x], step: "flags")
    return [try context.reduce(flags) { ReduceSum(axes: $0, keepDims: $1) }]
  }

  private static func mean(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input_tensor")
    guard case nil = context.optionalOperand(1, ["weights"]) else {
      throw context.unsupported("weights", "is given, which is not supported")
    }
    // TensorFlow's mean of integers is an integer.
    let value = context.layer.isTensorFlowOperation ? x : try context.floating(x)
    return [try context.reduce(value) { ReduceMean(axes: $0, keepDims: $1) }]
  }

  private static func logSumExp(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "input_tensor")
    return [try context.reduce(x) { ReduceLogSumExp(axes: $0, keepDims: $1) }]
  }

  private static func variance(isRoot: Bool) -> Rule {
    { context throws(KerasError) in
      let x = try context.floatTensor(0, "x", "input_tensor")
      let axes = try context.reductionAxes(context.shape(of: x).count, "axis")
      let keepDims = try context.bool("keepdims", default: false)
      let variance = try context.variance(x, axes, keepDims: keepDims, step: isRoot ? "variance" : nil)
        .variance
      return [isRoot ? try context.add(Sqrt(), [variance]) : variance]
    }
  }

  /// Mean and variance.
  private static func moments(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignore("synchronized", "shift")
    let x = try context.floatTensor(0, "x")
    let axes = try context.reductionAxes(context.shape(of: x).count, "axes")
    let keepDims = try context.bool("keepdims", default: false)
    let (mean, variance) = try context.variance(x, axes, keepDims: keepDims, step: "variance")
    let kept = context.shape(of: variance)
    return [try context.reshape(mean, to: kept, step: "mean_kept"), variance]
  }

  private static func norm(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "x", "tensor")
    let axes = try context.reductionAxes(context.shape(of: x).count, "axis")
    let order = context.entry("ord")
    switch (order?.string, order?.number) {
    case (nil, nil), ("euclidean", _): return [try context.reduce(x) { ReduceL2(axes: $0, keepDims: $1) }]
    case ("fro", _) where axes.count == 2: return [try context.reduce(x) { ReduceL2(axes: $0, keepDims: $1) }]
    case (_, 2?) where axes.count == 1: return [try context.reduce(x) { ReduceL2(axes: $0, keepDims: $1) }]
    case (_, 1?) where axes.count == 1: return [try context.reduce(x) { ReduceL1(axes: $0, keepDims: $1) }]
    case (_, Double.infinity?) where axes.count == 1:
      let magnitude = try context.add(Abs(), [x], step: "magnitude")
      return [try context.reduce(magnitude) { ReduceMax(axes: $0, keepDims: $1) }]
    default:
      throw context.unsupported("ord", "is a norm over \(axes.count) axes that is not supported")
    }
  }

  private static func cumulativeSum(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    var x = try context.tensor(0, "x")
    if !context.layer.isTensorFlowOperation {
      let element = context.type(of: x).element
      x = try context.cast(
        x, to: try context.elementType("dtype", default: element == .bool ? .int32 : element), step: "wide")
      if context.entry("axis") == nil {
        x = try context.reshape(x, to: [context.shape(of: x).reduce(1, *)], step: "flat")
      }
    }
    let axis = try context.singleAxis(rank: context.shape(of: x).count, default: 0)
    let op = CumSum(
      axis: axis, exclusive: try context.bool("exclusive", default: false),
      reverse: try context.bool("reverse", default: false))
    return [try context.add(op, [x])]
  }

  /// The position of an extremum: int32 from Keras, int64 from TensorFlow.
  private static func argument(_ op: @escaping @Sendable (_ axis: Int, _ keepDims: Bool) -> any Operator)
    -> Rule
  {
    { context throws(KerasError) in
      var x = try context.tensor(0, "x", "input")
      let isTensorFlow = context.layer.isTensorFlowOperation
      let keepDims = try context.bool("keepdims", default: false)
      let type = context.type(of: x)
      let isFlat = !isTensorFlow && context.entry("axis") == nil
      if isFlat { x = try context.reshape(x, to: [type.count], step: "flat") }
      if type.element == .bool { x = try context.cast(x, to: .int32, step: "flags") }
      let axis = isFlat ? 0 : try context.singleAxis(rank: type.rank, default: 0)
      let element =
        isTensorFlow ? try context.elementType("output_type", default: .int64) : .int32
      let position = try context.add(op(axis, keepDims && !isFlat), [x], step: "position")
      let result = try context.cast(position, to: element)
      guard isFlat, keepDims else { return [result] }
      return [try context.add(Reshape(shape: type.shape.map { _ in 1 }), [result], step: "kept")]
    }
  }

  /// The largest values along the last axis, and where they are.
  private static func topK(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.tensor(0, "x", "input")
    let op = TopK(
      axis: context.shape(of: x).count - 1, k: try context.size("k", default: 1),
      sorted: try context.bool("sorted", default: true))
    let index = try context.elementType("index_type", default: .int32)
    let results = try context.addAll(op, [x], step: "top")
    return [results[0], try context.cast(results[1], to: index, step: "indices")]
  }
}

extension LayerContext {
  /// Reduces along the axes that `axis` names, all of them by default.
  fileprivate func reduce(
    _ x: ValueID, step: String? = nil, _ op: (_ axes: [Int], _ keepDims: Bool) -> any Operator
  ) throws(KerasError) -> ValueID {
    let axes = try reductionAxes(shape(of: x).count, "axis")
    let keepDims = try bool("keepdims", default: false)
    guard !axes.isEmpty else { return x }
    return try add(op(axes, keepDims), [x], step: step)
  }

  /// The mean of squared distances from the mean, which keeps its axes.
  func variance(
    _ x: ValueID, _ axes: [Int], keepDims: Bool, step: String?
  ) throws(KerasError) -> (mean: ValueID, variance: ValueID) {
    let mean = try add(ReduceMean(axes: axes), [x], step: "mean")
    let distance = try add(Sub(), [x, mean], step: "distance")
    let square = try add(Mul(), [distance, distance], step: "square")
    return (mean, try add(ReduceMean(axes: axes, keepDims: keepDims), [square], step: step))
  }
}
