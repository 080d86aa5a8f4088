import SepalGraph

extension LayerRules {
  static func unitNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let rank = context.shape(of: input).count
    let axes = context.entry("axis") == nil ? [rank - 1] : try context.axes(rank: rank)
    return [try context.normalizeLength(input, axes: axes.sorted())]
  }

  /// x/√(mean of x² + epsilon)·scale. The scale belongs to the last axes, whichever were averaged.
  static func rmsNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    let axes = context.entry("axis") == nil ? [shape.count - 1] : try context.axes(rank: shape.count).sorted()
    let scale = try context.variables([VariableSpec("scale", shape: axes.map { shape[$0] })])[0]
    let squares = try context.add(Mul(), [input, input], step: "squares")
    let mean = try context.add(ReduceMean(axes: axes), [squares], step: "mean")
    let epsilon = context.add(scalar: try context.number("epsilon", default: 1e-6), step: "epsilon")
    let shifted = try context.add(Add(), [mean, epsilon], step: "shifted")
    let root = try context.add(Sqrt(), [shifted], step: "root")
    let normalized = try context.add(Div(), [input, root], step: "normalized")
    return [try context.add(Mul(), [normalized, try context.parameter("scale", scale)])]
  }
}

extension LayerContext {
  /// x/‖x‖ along `axes`. The divisor is at least 1e-12 in Keras 3, whose predecessors said so of its square.
  func normalizeLength(_ value: ValueID, axes: [Int], prefix: String? = nil) throws(KerasError) -> ValueID {
    let step = prefix.map { "\($0)_" } ?? ""
    let norm = try add(ReduceL2(axes: axes), [value], step: step + "norm")
    let smallest = version == .three ? 1e-12 : 1e-6
    let divisor = try add(Clip(min: smallest, max: .infinity), [norm], step: step + "divisor")
    return try add(Div(), [value, divisor], step: prefix.map { "\($0)_unit" })
  }
}
