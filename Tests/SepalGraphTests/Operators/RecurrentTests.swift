import SepalGraph
import SepalTensor
import Testing

/// Numbers recorded from Keras 3.15 on the TensorFlow backend with the same weights (transposed; of the LSTM, the gates
/// reordered), on x = `pattern([2, 3, 2])`.
@Suite struct RecurrentTests {
  private let x = pattern([2, 3, 2])

  private func expect(_ output: Tensor, _ shape: [Int], _ expected: [Double], _ name: String) {
    #expect(output.shape == shape, "\(name)")
    for (index, (value, expected)) in zip(output.doubles(), expected).enumerated() {
      #expect(abs(value - expected) < 2e-6, "\(name) at \(index): \(value), expected \(expected)")
    }
  }

  @Test func simpleRNNBackwardsKeepsStepsInPlaceAndEndsAtTheFirst() throws {
    let op = SimpleRNN(activation: .softsign, reverse: true)
    let outputs = try op.run(x, pattern([2, 2], seed: 1), pattern([2, 2], seed: 2), pattern([2], seed: 3))
    expect(
      outputs[0], [2, 3, 2],
      [
        0.09985221, -0.510592, 0.2845528, -0.09743591, 0.6363636, 0.2727273, 0.5956925, 0.6264535, -0.2212389,
        -0.3098039, 0.6363636, -0.2727273,
      ], "y")
    expect(outputs[1], [2, 2], [0.09985221, -0.510592, 0.5956925, 0.6264535], "state")
  }

  @Test func lstmWithInitialStatesAndAHardGate() throws {
    let op = LSTM(recurrentActivation: .activation(.hardSigmoid(alpha: 1.0 / 6, beta: 0.5)))
    let outputs = try SepalGraphTests.evaluate(
      op,
      [
        x, pattern([8, 2], seed: 1), pattern([8, 2], seed: 2), pattern([8], seed: 3), nil,
        pattern([2, 2], seed: 4), pattern([2, 2], seed: 5),
      ])
    expect(
      outputs[0], [2, 3, 2],
      [
        0.01509991, 0.1431411, 0.3449377, -0.1003401, 0.1065263, -0.03290087, 0.2356999, -0.3057018, 0.412412,
        -0.3179494, 0.0637363, -0.2148219,
      ], "y")
    expect(outputs[1], [2, 2], [0.1065263, -0.03290087, 0.0637363, -0.2148219], "state")
    expect(outputs[2], [2, 2], [0.4066564, -0.04562377, 0.243739, -0.2879596], "cell")
  }

  @Test func gruWithTheResetGateAfterTheProduct() throws {
    let outputs = try GRU(resetAfter: true).run(
      x, pattern([6, 2], seed: 1), pattern([6, 2], seed: 2), pattern([6], seed: 3), pattern([6], seed: 4))
    expect(
      outputs[0], [2, 3, 2],
      [
        -0.3335772, 0.7484813, -0.4305876, 0.4405338, -0.4039471, -0.4774848, 0.04245304, -0.3001674,
        -0.3759855, 0.5643951, -0.3691733, -0.5619955,
      ], "y")
    expect(outputs[1], [2, 2], [-0.4039471, -0.4774848, -0.3691733, -0.5619955], "state")
  }

  @Test func gruWithTheResetGateBeforeTheProduct() throws {
    let outputs = try GRU(activation: .selu).run(
      x, pattern([6, 2], seed: 1), pattern([6, 2], seed: 2), pattern([6], seed: 3))
    expect(
      outputs[0], [2, 3, 2],
      [
        -0.4686438, 0.6541807, -0.6121104, 0.1003714, -0.520876, -0.6208835, 0.116665, -0.2869183, -0.4314512,
        0.3891049, -0.43616, -0.8170601,
      ], "y")
    expect(outputs[1], [2, 2], [-0.520876, -0.6208835, -0.43616, -0.8170601], "state")
  }

  @Test func theRecurrentBiasAddsToTheOtherWhereNothingComesBetween() throws {
    let (weight, recurrent) = (pattern([8, 2], seed: 1), pattern([8, 2], seed: 2))
    let (left, right) = (pattern([8], seed: 3), pattern([8], seed: 4))
    let sum = vector(zip(left.doubles(), right.doubles()).map(+))
    let apart = try LSTM().run(x, weight, recurrent, left, right)
    let joined = try LSTM().run(x, weight, recurrent, sum)
    #expect(zip(apart, joined).allSatisfy { $0.isIdentical(to: $1) })
  }

  @Test func withoutStepsTheInitialStateIsTheFinalOne() throws {
    let state = pattern([2, 2], seed: 4)
    let outputs = try SepalGraphTests.evaluate(
      SimpleRNN(), [pattern([2, 0, 3]), pattern([2, 3]), pattern([2, 2]), nil, nil, state])
    #expect(outputs[0].shape == [2, 0, 2])
    #expect(outputs[1].isIdentical(to: state))
  }

  @Test func costCountsBothProductsOfEveryStep() throws {
    let types: Inputs<TensorType> = Inputs([
      TensorType(.float32, [3, 7, 5]), TensorType(.float32, [24, 5]), TensorType(.float32, [24, 6]),
    ])
    #expect(LSTM().macs(types, outputs: try LSTM().inferOutputs(types)) == 3 * 7 * 24 * (5 + 6))
  }

  @Test func operandsThatDoNotFitAreRefused() {
    let (x, weight) = (TensorType(.float32, [1, 4, 3]), TensorType(.float32, [8, 3]))
    let recurrent = TensorType(.float32, [8, 2])
    #expect(
      LSTM().refusal(x, TensorType(.float32, [8, 4]), recurrent)
        == "weight is float32[8x4], expected float32[8x3]")
    #expect(
      GRU().refusal(x, weight, recurrent) == "weight is float32[8x3], expected float32[6x3]")
    #expect(
      SimpleRNN().refusal(TensorType(.float32, [4, 3]), weight, recurrent)
        == "x is float32[4x3], expected rank 3")
    #expect(
      SepalGraphTests.refusal(LSTM(), [x, weight, recurrent, nil, nil, nil, TensorType(.float32, [1, 3])])
        == "initialCell is float32[1x3], expected float32[1x2]")
  }

  @Test func everyOperatorThatIsAGateFunctionComputesTheSame() throws {
    let operators: [any UnaryOperator] = [
      Clip(min: -0.5, max: 0.5), Elu(alpha: 0.5), Exp(), Gelu(), HardSigmoid(), HardSwish(), LeakyRelu(),
      Mish(), Relu(), Selu(), Sigmoid(), Silu(), Softplus(), Softsign(), Tanh(),
    ]
    for op in operators {
      let function = try #require(GateFunction(op), "\(op.name)")
      #expect(GateFunction(attributeValue: function.attributeValue) == function, "\(op.name)")
      for x in [-2, -0.25, 0, 0.75, 3] { #expect(function(x) == op.apply(x), "\(op.name) of \(x)") }
    }
    #expect(GateFunction(Identity()) == .activation(.identity))
    #expect(GateFunction(Selu(alpha: 1, gamma: 1)) == nil)
    #expect(GateFunction(Softmax()) == nil)
    #expect(GateFunction(attributeValue: .string("affine")) == nil)
  }
}
