import SepalGraph
import SepalTensor

/// What a recurrent layer does at each step.
struct RecurrentCell {
  enum Kind {
    case simple, lstm, gru
  }

  let kind: Kind
  /// Stored as cuDNN takes its weights, by the layers of Keras 2 that only ran on a GPU.
  var isCuDNN = false
  /// The configuration and the place of the weights.
  let context: LayerContext

  /// - Parameter className: of the cell, or of the layer that is named after it.
  init(_ className: String, _ context: LayerContext) throws(KerasError) {
    switch className {
    case "SimpleRNN", "SimpleRNNCell": kind = .simple
    case "LSTM", "LSTMCell", "CuDNNLSTM": kind = .lstm
    case "GRU", "GRUCell", "CuDNNGRU": kind = .gru
    default:
      throw KerasError(
        .unsupported, "is \(className.printable()), expected SimpleRNNCell, LSTMCell or GRUCell",
        field: "cell")
    }
    isCuDNN = className.hasPrefix("CuDNN")
    self.context = context
  }

  var gateCount: Int {
    switch kind {
    case .simple: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// How many tensors its state is made of.
  var stateCount: Int { kind == .lstm ? 2 : 1 }

  /// Keras 1 called it `output_dim`.
  func units() throws(KerasError) -> Int { try context.size(context.spelling("units", "output_dim")) }

  /// Whether a GRU multiplies with the recurrent kernel before it resets. Keras 1 and early 2 knew no other way than
  /// not to, and do not say so.
  func resetsAfter() throws(KerasError) -> Bool {
    guard kind == .gru, !isCuDNN else { return kind == .gru }
    return try context.bool("reset_after", default: context.version == .three)
  }

  /// Goes through a sequence `[N, T, C]`: all outputs, in the order of the sequence's steps, and the final state.
  ///
  /// - Parameters:
  ///   - reverse: from the last step to the first.
  ///   - step: tells the cell's values apart from those of others in the layer.
  func run(
    _ x: ValueID, from state: [ValueID], reverse: Bool, step: String
  ) throws(KerasError) -> (sequence: ValueID, state: [ValueID]) {
    let op: any Operator
    let activation = try function("activation", default: "tanh")
    let defaultGate = context.version == .three ? "sigmoid" : "hard_sigmoid"
    switch kind {
    case .simple: op = SimpleRNN(activation: activation, reverse: reverse)
    case .lstm:
      op = LSTM(
        activation: activation,
        recurrentActivation: try function("recurrent_activation", default: defaultGate),
        reverse: reverse)
    case .gru:
      op = GRU(
        activation: activation,
        recurrentActivation: try function("recurrent_activation", default: defaultGate),
        resetAfter: try resetsAfter(), reverse: reverse)
    }
    let weights = try RecurrentWeights(self, channels: context.shape(of: x)[2])
    func parameter(_ name: String, _ tensor: Tensor?) throws(KerasError) -> ValueID? {
      guard let tensor else { return nil }
      return try context.parameter(name, tensor)
    }
    var inputs: [ValueID?] = [
      x, try parameter("kernel", weights.kernel), try parameter("recurrent_kernel", weights.recurrent),
      try parameter("bias", weights.bias), try parameter("recurrent_bias", weights.recurrentBias),
    ]
    inputs += state
    let results = try context.addAll(op, inputs, step: step)
    return (results[0], Array(results.dropFirst()))
  }

  private func function(_ field: String, default name: String) throws(KerasError) -> GateFunction {
    if isCuDNN { return field == "activation" ? .tanh : .sigmoid }
    return try context.gateFunction(
      field == "recurrent_activation" ? context.spelling(field, "inner_activation") : field, default: name)
  }
}
