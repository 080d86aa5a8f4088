import SepalTensor

/// Long short-term memory. Gates in the order input, output, forget, cell, each weight·xₜ + bias + recurrentWeight·hₜ₋₁ +
/// recurrentBias of its own rows: i, o, f = recurrentActivation(…), g = activation(…);
/// cₜ = f·cₜ₋₁ + i·g, hₜ = o·activation(cₜ).
///
/// - Inputs: see `RecurrentOperator`; four gates; 6 initialCell `[N, H]`, optional, else zeros.
/// - Outputs: y `[N, T, H]`, h after each step; state and cell `[N, H]`, h and c after the last step that was taken.
/// - Source: ONNX LSTM-14 without peepholes, Keras LSTM (whose gates are in the order input, forget, cell, output).
public struct LSTM: RecurrentOperator {
  public static let schema = OperatorSchema(
    "LSTM",
    inputs: [
      "x", .parameter("weight"), .parameter("recurrentWeight"), .optionalParameter("bias"),
      .optionalParameter("recurrentBias"), .optional("initialState"), .optional("initialCell"),
    ],
    outputs: ["y", "state", "cell"],
    attributes: [
      AttributeField("activation", \LSTM.activation),
      AttributeField("recurrentActivation", \LSTM.recurrentActivation),
      AttributeField("reverse", \LSTM.reverse),
    ])
  public static let gateCount = 4
  public var activation = GateFunction.tanh
  public var recurrentActivation = GateFunction.sigmoid
  public var reverse = false

  public init() {}
  public init(
    activation: GateFunction = .tanh, recurrentActivation: GateFunction = .sigmoid, reverse: Bool = false
  ) {
    self.activation = activation
    self.recurrentActivation = recurrentActivation
    self.reverse = reverse
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (y, state) = try inferSequence(inputs)
    try inputs.optional(6)?.require(state.element, state.shape, "initialCell")
    return [y, state, state]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let types = try inferOutputs(inputs.types)
    let loop = RecurrentLoop(self, inputs)
    let hidden = loop.hidden
    var cells = inputs.optional(6)?.doubles() ?? [Double](repeating: 0, count: types[2].count)
    let (y, state) = loop.run { sample, input, state in
      let sums = zip(input, loop.recurrent(state, count: 4)).map(+)
      return (0..<hidden).map { unit in
        let (i, o) = (recurrentActivation(sums[unit]), recurrentActivation(sums[hidden + unit]))
        let (f, g) = (recurrentActivation(sums[2 * hidden + unit]), activation(sums[3 * hidden + unit]))
        let cell = sample * hidden + unit
        cells[cell] = f * cells[cell] + i * g
        return o * activation(cells[cell])
      }
    }
    return zip(types, [y, state, cells]).map { Tensor($0.element, $0.shape, doubles: $1) }
  }
}
