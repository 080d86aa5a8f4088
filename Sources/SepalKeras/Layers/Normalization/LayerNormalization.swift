import SepalGraph
import SepalTensor

extension LayerRules {
  /// Statistics over the named axes of each sample; scale and offset for each position along them.
  static func layerNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    let rank = shape.count
    guard try !context.bool("rms_scaling", default: false) else {
      throw context.unsupported(
        "rms_scaling", "is true, which divides by the deviation without subtracting the mean")
    }
    var named = context.entry("axis") == nil ? [-1] : try context.ints("axis")
    // Keras 3 sorts the numbers as they were given before it makes the variables.
    if context.version == .three { named.sort() }
    var stored: [Int] = []
    for axis in named { stored.append(try context.axis(axis, rank: rank)) }
    let axes = Set(stored).sorted()
    guard axes.count == stored.count, !axes.isEmpty else {
      throw context.invalid("axis", "is \(named), expected different axes")
    }
    let parameters = try context.scaleAndOffset(shape: stored.map { shape[$0] })
    let normalized = axes.map { shape[$0] }
    func operand(_ name: String, _ tensor: Tensor?, implied: Double) throws(KerasError) -> ValueID {
      guard let tensor else { return context.add(scalar: implied, step: name) }
      return try context.parameter(name, tensor.reshaped(normalized))
    }
    let scale = try operand("gamma", parameters.scale, implied: 1)
    let offset = parameters.offset == nil ? nil : try operand("beta", parameters.offset, implied: 0)
    let op = LayerNorm(axis: rank - axes.count, epsilon: try context.number("epsilon", default: 1e-3))
    let order = (0..<rank).filter { !axes.contains($0) } + axes
    if order == Array(0..<rank) { return [try context.add(op, [input, scale, offset])] }
    let moved = try context.add(Transpose(permutation: order), [input], step: "axes_last")
    let result = try context.add(op, [moved, scale, offset], step: "normalized")
    return [try context.add(Transpose(permutation: inverse(order)), [result])]
  }

  /// Statistics over each group of channels of each sample.
  static func groupNormalization(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    let rank = shape.count
    let axis = try context.axis(try context.int("axis", default: -1), rank: rank)
    guard axis > 0 else { throw context.invalid("axis", "is the batch") }
    let channels = shape[axis]
    let given = try context.int("groups", default: 32)
    let groups = given == -1 ? channels : given
    guard groups > 0, channels.isMultiple(of: groups) else {
      throw context.invalid("groups", "is \(given), expected a divisor of the \(channels) channels")
    }
    let parameters = try context.scaleAndOffset(shape: [channels])
    func operand(_ name: String, _ tensor: Tensor?, implied: Float) throws(KerasError) -> ValueID {
      if let tensor { return try context.parameter(name, tensor) }
      let implied = Tensor([channels], floats: [Float](repeating: implied, count: channels))
      return context.add(constant: implied, step: name)
    }
    let scale = try operand("gamma", parameters.scale, implied: 1)
    let offset = try operand("beta", parameters.offset, implied: 0)
    // As [N, positions…, C] or [N, C, positions…]; rank 2 gets one position.
    var op = GroupNorm(
      groups: groups, epsilon: try context.number("epsilon", default: 1e-3), layout: .channelsLast)
    if rank == 2 {
      let moved = try context.reshape(input, to: [shape[0], 1, channels], step: "one_position")
      let result = try context.add(op, [moved, scale, offset], step: "normalized")
      return [try context.reshape(result, to: shape)]
    }
    if axis == 1 { op.layout = .channelsFirst }
    if axis == 1 || axis == rank - 1 { return [try context.add(op, [input, scale, offset])] }
    let order = (0..<rank).filter { $0 != axis } + [axis]
    let moved = try context.add(Transpose(permutation: order), [input], step: "channels_last")
    let result = try context.add(op, [moved, scale, offset], step: "normalized")
    return [try context.add(Transpose(permutation: inverse(order)), [result])]
  }
}

/// The permutation that undoes `order`.
func inverse(_ order: [Int]) -> [Int] {
  order.indices.map { position in order.firstIndex(of: position) ?? position }
}

extension LayerContext {
  /// The variables `gamma` and `beta`, where the layer has them.
  fileprivate func scaleAndOffset(shape: [Int]) throws(KerasError) -> (scale: Tensor?, offset: Tensor?) {
    let scales = try bool("scale", default: true)
    let centers = try bool("center", default: true)
    let variables = try variables(
      (scales ? [VariableSpec("gamma", shape: shape)] : [])
        + (centers ? [VariableSpec("beta", shape: shape)] : []))
    return (scales ? variables.first : nil, centers ? variables.last : nil)
  }
}
