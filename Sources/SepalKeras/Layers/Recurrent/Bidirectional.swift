import SepalGraph
import SepalTensor

extension LayerRules {
  /// A recurrent layer in both directions, the outputs of which are merged.
  static func bidirectional(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    guard let json = context.entry("layer") else { throw context.invalid("layer", "is missing") }
    let forward = try RecurrentLayer(try context.direction(json, "forward"))
    var backward = try RecurrentLayer(
      try context.direction(context.entry("backward_layer") ?? json, "backward"))
    if context.entry("backward_layer") == nil { backward.goesBackwards = !forward.goesBackwards }
    guard forward.goesBackwards != backward.goesBackwards,
      forward.returnsSequences == backward.returnsSequences, forward.returnsState == backward.returnsState
    else {
      throw context.invalid("backward_layer", "does not go against 'layer', or returns other things")
    }
    let (input, state) = try context.sequenceAndState()
    guard state.isEmpty || state.count == forward.stateCount + backward.stateCount else {
      throw KerasError(
        .invalid,
        "starts from a state of \(state.count) tensors, expected \(forward.stateCount + backward.stateCount)")
    }
    let half = state.count / 2
    let first = try forward.run(input, from: Array(state.prefix(half)))
    let second = try backward.run(input, from: Array(state.dropFirst(half)))
    // The backward layer's steps, last to first, are turned around before they are merged.
    let outputs = [
      try forward.output(first), try backward.output(second, inStepOrder: backward.goesBackwards),
    ]
    let merged = try context.mergeDirections(outputs)
    return merged + (forward.returnsState ? first.state + second.state : [])
  }
}

extension LayerContext {
  /// One direction's layer, of which Keras 2 changes the name.
  fileprivate func direction(_ json: JSON, _ direction: String) throws(KerasError) -> LayerContext {
    let layer = try LayerConfig(json, path: name)
    guard RecurrentLayer.classNames.contains(layer.className) else {
      throw unsupported("layer", "is \(layer.className.printable()), expected a recurrent layer")
    }
    let place = location.part(
      "\(direction)_layer", name: version == .three ? layer.name : "\(direction)_\(layer.name)")
    return part(layer, at: place, step: direction)
  }

  fileprivate func mergeDirections(_ outputs: [ValueID]) throws(KerasError) -> [ValueID] {
    // The two as they are.
    if let mode = config["merge_mode"], mode.isNull { return outputs }
    switch try string("merge_mode", default: "concat") {
    case "concat": return [try add(Concat(axis: shape(of: outputs[0]).count - 1), outputs)]
    case "sum": return [try add(Add(), outputs)]
    case "mul": return [try add(Mul(), outputs)]
    case "ave":
      let sum = try add(Add(), outputs, step: "sum")
      return [try add(Mul(), [sum, scalar(0.5, like: sum, step: "half")])]
    case let mode:
      throw unsupported("merge_mode", "is '\(mode.printable())', expected concat, sum, mul, ave or none")
    }
  }
}
