import SepalGraph
import SepalTensor

extension LayerRules {
  /// (x − mean)/√variance, or its inverse, with statistics of the kept axes that were adapted or given.
  static func normalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.floatInput()
    let shape = context.shape(of: input)
    let rank = shape.count
    // Null stands for no axis at all, which differs from an absent one.
    let isNull = context.config["axis"]?.isNull ?? false
    let kept =
      try isNull ? [] : context.entry("axis") == nil ? [rank - 1] : context.axes(rank: rank).sorted()
    let statistics = kept.map { shape[$0] }
    let mean: Tensor
    let variance: Tensor
    if context.entry("mean") == nil {
      let variables = try context.variables([
        VariableSpec("mean", shape: statistics), VariableSpec("variance", shape: statistics),
        VariableSpec("count", shape: []),
      ])
      (mean, variance) = (variables[0], variables[1])
    } else {
      mean = try context.statistic("mean", for: statistics)
      variance = try context.statistic("variance", for: statistics)
    }
    // Keras keeps a small deviation from dividing by nothing.
    let deviation = Tensor(
      .float32, statistics, doubles: variance.doubles().map { max($0.squareRoot(), 1e-7) })
    // Along the kept axes, without leading ones.
    let aligned = ((kept.first ?? rank)..<rank).map { kept.contains($0) ? shape[$0] : 1 }
    let center = context.add(constant: mean.reshaped(aligned), step: "mean")
    let spread = context.add(constant: deviation.reshaped(aligned), step: "deviation")
    if try context.bool("invert", default: false) {
      let scaled = try context.add(Mul(), [input, spread], step: "scaled")
      return [try context.add(Add(), [scaled, center])]
    }
    let centered = try context.add(Sub(), [input, center], step: "centered")
    return [try context.add(Div(), [centered, spread])]
  }
}

extension LayerContext {
  /// A statistic that the configuration holds: of `shape`, or repeated to it.
  fileprivate func statistic(_ field: String, for shape: [Int]) throws(KerasError) -> Tensor {
    var tensor = try numbers(field)
    while tensor.shape.count > shape.count, tensor.shape.first == 1 {
      tensor = tensor.reshaped(Array(tensor.shape.dropFirst()))
    }
    guard broadcastShape(tensor.shape, shape) == shape else {
      throw invalid(field, "is \(tensor.shape), expected \(shape)")
    }
    return Tensor(.float32, shape, doubles: tensor.doubles(broadcastTo: shape))
  }
}
