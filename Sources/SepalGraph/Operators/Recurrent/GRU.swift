import SepalTensor

/// Gated recurrent unit. Gates in the order update z, reset r, candidate; with a = weight·xₜ + bias:
/// z, r = recurrentActivation(a + recurrentWeight·hₜ₋₁ + recurrentBias);
/// c = activation(a + r·(recurrentWeight·hₜ₋₁ + recurrentBias)) where the reset comes after the product, otherwise
/// c = activation(a + recurrentWeight·(r·hₜ₋₁) + recurrentBias);  hₜ = z·hₜ₋₁ + (1 − z)·c.
///
/// - Inputs: see `RecurrentOperator`; three gates. Outputs: y `[N, T, H]`, the state after each step; state `[N, H]`, the
///   one after the last step that was taken.
/// - Source: ONNX GRU-14 (`linear_before_reset`), Keras GRU (`reset_after`).
public struct GRU: RecurrentOperator {
  public static let schema = OperatorSchema(
    "GRU",
    inputs: [
      "x", .parameter("weight"), .parameter("recurrentWeight"), .optionalParameter("bias"),
      .optionalParameter("recurrentBias"), .optional("initialState"),
    ],
    outputs: ["y", "state"],
    attributes: [
      AttributeField("activation", \GRU.activation),
      AttributeField("recurrentActivation", \GRU.recurrentActivation),
      AttributeField("resetAfter", \GRU.resetAfter), AttributeField("reverse", \GRU.reverse),
    ])
  public static let gateCount = 3
  public var activation = GateFunction.tanh
  public var recurrentActivation = GateFunction.sigmoid
  public var resetAfter = false
  public var reverse = false

  public init() {}
  public init(
    activation: GateFunction = .tanh, recurrentActivation: GateFunction = .sigmoid, resetAfter: Bool = false,
    reverse: Bool = false
  ) {
    self.activation = activation
    self.recurrentActivation = recurrentActivation
    self.resetAfter = resetAfter
    self.reverse = reverse
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (y, state) = try inferSequence(inputs)
    return [y, state]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let types = try inferOutputs(inputs.types)
    let loop = RecurrentLoop(self, inputs)
    let hidden = loop.hidden
    let (y, state) = loop.run { _, input, state in
      let gates = zip(input, loop.recurrent(state, count: 2)).map { recurrentActivation($0 + $1) }
      let (z, r) = (gates[..<hidden], gates[hidden...])
      let recurrent =
        resetAfter
        ? zip(r, loop.recurrent(state, gate: 2, count: 1)).map(*)
        : loop.recurrent(zip(r, state).map(*), gate: 2, count: 1)
      let candidate = zip(input[(2 * hidden)...], recurrent).map { activation($0 + $1) }
      return (0..<hidden).map { z[$0] * state[$0] + (1 - z[$0]) * candidate[$0] }
    }
    return zip(types, [y, state]).map { Tensor($0.element, $0.shape, doubles: $1) }
  }
}
