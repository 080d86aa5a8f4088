import SepalGraph

/// Which steps of a sequence count. Keras hands masks on behind the scenes, from layers that make one to those that
/// skip what is masked.
struct StepMask {
  /// The layer that made it.
  var source: String
  /// Adds what computes it to the graph, `[N, T]` of booleans, on demand: most masks are never read.
  var make: () throws(KerasError) -> ValueID
}

/// What layers do with the mask of what they are given. All others drop it.
enum MaskRules {
  /// Layers whose output has the mask of their input.
  static let handingOn: Set<String> = [
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU",
    "Normalization", "PReLU", "ReLU", "Rescaling", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "ThresholdedReLU", "UnitNormalization",
  ]

  /// Layers that compute something else for masked steps: a rule that does not ask for the mask would be wrong.
  static let reading: Set<String> = [
    "Add", "AdditiveAttention", "Attention", "Average", "Bidirectional", "Concatenate", "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D", "CuDNNGRU", "CuDNNLSTM", "Dot", "GRU", "GlobalAveragePooling1D", "GroupQueryAttention",
    "LSTM",
    "Maximum", "Merge", "Minimum", "MultiHeadAttention", "Multiply", "RNN", "SimpleRNN", "Softmax",
    "Subtract",
    "TimeDistributed",
  ]
}

extension LayerContext {
  /// Says which steps of `value` count, `[N, T]` of booleans.
  func setMask(of value: ValueID, _ make: @escaping () throws(KerasError) -> ValueID) {
    importing.masks[value] = StepMask(source: name, make: make)
  }

  /// Which steps of `value` count; nil when all do.
  func mask(of value: ValueID) throws(KerasError) -> ValueID? {
    guard let mask = importing.masks[value] else { return nil }
    operands.hasReadMask = true
    return try mask.make()
  }

  /// Hands masks from a layer's inputs on to its outputs as Keras does, or refuses a layer that would have to read them.
  func passMasks(to outputs: [ValueID]) throws(KerasError) {
    let masked = operands.values.filter { importing.masks[$0] != nil }
    guard let first = masked.first, let mask = importing.masks[first], !operands.hasReadMask else { return }
    func refused(_ what: String) -> KerasError {
      KerasError(.unsupported, "is given a sequence that '\(mask.source)' masks, \(what)")
    }
    if layer.operationName != nil {
      guard !outputs.contains(first) else { throw refused("and gives it back unchanged without its mask") }
    } else if MaskRules.handingOn.contains(layer.className) {
      for output in outputs where importing.masks[output] == nil { importing.masks[output] = mask }
    } else if MaskRules.reading.contains(layer.className) {
      throw refused("which is not supported: masked steps would be taken for real ones")
    } else {
      let kept = outputs.first { importing.masks[$0] != nil && masked.contains($0) }
      guard kept == nil else { throw refused("and gives it back unchanged without its mask") }
    }
  }
}
