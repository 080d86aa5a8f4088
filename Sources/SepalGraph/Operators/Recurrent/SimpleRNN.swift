import SepalTensor

/// hₜ = activation(weight·xₜ + bias + recurrentWeight·hₜ₋₁ + recurrentBias).
///
/// - Inputs: see `RecurrentOperator`; one gate. Outputs: y `[N, T, H]`, the state after each step; state `[N, H]`, the
///   one after the last step that was taken.
/// - Source: ONNX RNN-14, Keras SimpleRNN.
public struct SimpleRNN: RecurrentOperator {
  public static let schema = OperatorSchema(
    "SimpleRNN",
    inputs: [
      "x", .parameter("weight"), .parameter("recurrentWeight"), .optionalParameter("bias"),
      .optionalParameter("recurrentBias"), .optional("initialState"),
    ],
    outputs: ["y", "state"],
    attributes: [
      AttributeField("activation", \SimpleRNN.activation), AttributeField("reverse", \SimpleRNN.reverse),
    ])
  public static let gateCount = 1
  public var activation = GateFunction.tanh
  public var reverse = false

  public init() {}
  public init(activation: GateFunction = .tanh, reverse: Bool = false) {
    self.activation = activation
    self.reverse = reverse
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (y, state) = try inferSequence(inputs)
    return [y, state]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let types = try inferOutputs(inputs.types)
    let loop = RecurrentLoop(self, inputs)
    let (y, state) = loop.run { _, input, state in
      zip(input, loop.recurrent(state, count: 1)).map { activation($0 + $1) }
    }
    return zip(types, [y, state]).map { Tensor($0.element, $0.shape, doubles: $1) }
  }
}
