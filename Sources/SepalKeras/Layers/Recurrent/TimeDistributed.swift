import SepalGraph

extension LayerRules {
  /// A layer, or a model, for each step of a sequence `[N, T, …]`: for each sample of a batch of N·T.
  static func timeDistributed(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    guard let inner = context.entry("layer") else { throw context.invalid("layer", "is missing") }
    var steps: [ValueID] = []
    var outer: [Int] = []
    for (index, input) in try context.inputs().enumerated() {
      let shape = context.shape(of: input)
      guard shape.count >= 3, index == 0 || Array(shape.prefix(2)) == outer else {
        throw KerasError(
          .invalid, "is called with \(context.type(of: input)), expected sequences of one length")
      }
      outer = Array(shape.prefix(2))
      steps.append(
        try context.reshape(
          input, to: [outer.reduce(1, *)] + shape.dropFirst(2), step: index == 0 ? "steps" : "steps\(index)"))
    }
    var results: [ValueID] = []
    for result in try context.callInner(inner, attribute: "layer", steps) {
      let shape = context.shape(of: result)
      guard shape.first == outer.reduce(1, *) else {
        throw KerasError(.unsupported, "holds a layer that does not keep the batch")
      }
      results.append(try context.add(Reshape(shape: outer + shape.dropFirst()), [result]))
    }
    return results
  }
}
