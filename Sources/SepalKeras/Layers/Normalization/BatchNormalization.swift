import SepalGraph
import SepalTensor

extension LayerRules {
  /// Inference batch normalisation over one axis, which need not be the channels' place.
  static func batchNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    let rank = shape.count
    let axes = context.entry("axis") == nil ? [rank - 1] : try context.axes(rank: rank)
    guard axes.count == 1, let axis = axes.first, axis > 0 else {
      throw context.unsupported("axis", "is \(axes), expected one axis behind the first")
    }
    guard try !context.bool("renorm", default: false) else { throw context.unsupported("renorm", "is true") }
    // Other modes of Keras 1 normalise each feature, or by the batch at hand.
    guard try context.int("mode", default: 0) == 0 else { throw context.unsupported("mode", "is not 0") }
    let channels = shape[axis]
    let scales = try context.bool("scale", default: true)
    let centers = try context.bool("center", default: true)
    var specs: [VariableSpec] = []
    if scales { specs.append(VariableSpec("gamma", shape: [channels])) }
    if centers { specs.append(VariableSpec("beta", shape: [channels])) }
    specs.append(VariableSpec("moving_mean", "running_mean", shape: [channels]))
    // Keras 1 stores the variance under the name `running_std`.
    specs.append(VariableSpec("moving_variance", "running_std", shape: [channels]))
    let variables = try context.variables(specs)
    func implied(_ value: Float, _ step: String) -> ValueID {
      context.add(
        constant: Tensor([channels], floats: [Float](repeating: value, count: channels)), step: step)
    }
    let gamma = scales ? try context.parameter("gamma", variables[0]) : implied(1, "gamma")
    let beta = centers ? try context.parameter("beta", variables[scales ? 1 : 0]) : implied(0, "beta")
    let mean = try context.parameter("moving_mean", variables[specs.count - 2])
    let variance = try context.parameter("moving_variance", variables[specs.count - 1])
    let epsilon = try context.number("epsilon", default: 1e-3)
    if axis == rank - 1 || axis == 1 {
      let op = BatchNorm(epsilon: epsilon, layout: axis == rank - 1 ? .channelsLast : .channelsFirst)
      return [try context.add(op, [input, gamma, beta, mean, variance])]
    }
    // Between two transposes that bring the axis to the end.
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let moved = try context.add(Transpose(permutation: order), [input], step: "before")
    let result = try context.add(
      BatchNorm(epsilon: epsilon, layout: .channelsLast), [moved, gamma, beta, mean, variance], step: "norm")
    return [try context.add(Transpose(permutation: inverse(order)), [result])]
  }
}
