import SepalGraph
import SepalTensor
import Testing

@Suite struct ActivationTests {
  private static let x = [-7, -3, -1, -0.5, 0, 0.5, 1, 3, 7]

  /// An activation and its values at `x`, recorded from ONNX Runtime 1.32 (silu: from its formula in numpy).
  private static let recorded: [(Activation, [Double])] = [
    (.relu, [0, 0, 0, 0, 0, 0.5, 1, 3, 7]),
    (.clip(min: -1, max: 2.5), [-1, -1, -1, -0.5, 0, 0.5, 1, 2.5, 2.5]),
    (.leakyRelu(alpha: 0.01), [-0.07, -0.03, -0.01, -0.005, 0, 0.5, 1, 3, 7]),
    (.elu(alpha: 1.5), [-1.49863, -1.42532, -0.948181, -0.590204, 0, 0.5, 1, 3, 7]),
    (.hardSigmoid(alpha: 0.25, beta: 0.4), [0, 0, 0.15, 0.275, 0.4, 0.525, 0.65, 1, 1]),
    (.hardSwish, [0, 0, -0.333333, -0.208333, 0, 0.291667, 0.666667, 3, 7]),
    (
      .sigmoid,
      [0.000911057, 0.0474259, 0.268941, 0.377541, 0.5, 0.622459, 0.731059, 0.952574, 0.999089]
    ),
    (.silu, [-0.00637736, -0.142278, -0.268941, -0.18877, 0, 0.31123, 0.731059, 2.85772, 6.99362]),
    (.tanh, [-0.999998, -0.995055, -0.761594, -0.462117, 0, 0.462117, 0.761594, 0.995055, 0.999998]),
    (.gelu, [0, -0.00404969, -0.158655, -0.154269, 0, 0.345731, 0.841345, 2.99595, 7]),
    (.geluTanh, [0, -0.00363752, -0.158808, -0.154286, 0, 0.345714, 0.841192, 2.99636, 7]),
  ]

  @Test(arguments: recorded)
  func operatorsComputeTheRecordedValues(activation: Activation, expected: [Double]) throws {
    let op = try #require(activation.asOperator as? any ActivationOperator)
    #expect(op.asActivation == activation)
    try expect(op, [vector(Self.x)], shape: [Self.x.count], gives: expected)
  }

  @Test(arguments: recorded)
  func attributeValuesRoundTrip(activation: Activation, expected: [Double]) {
    #expect(Activation(attributeValue: activation.attributeValue) == activation)
  }

  @Test func theIdentityHasNoOperator() {
    #expect(Activation.identity.asOperator == nil)
    #expect(Activation(attributeValue: .string("identity")) == .identity)
  }

  @Test(arguments: [
    "", "(", "relu()", "relu(1)", "clip", "clip(0,6", "clip(0)", "clip(0,6,7)", "clip(a,b)", "clip(nan,6)",
    "Relu", "clip(0,6))",
  ])
  func malformedTextIsRefused(text: String) {
    #expect(Activation(attributeValue: .string(text)) == (text == "relu()" ? .relu : nil))
  }

  @Test(arguments: recorded)
  func notANumberStays(activation: Activation, expected: [Double]) {
    #expect(activation(.nan).isNaN)
  }

  /// As ONNX Runtime: min(max(x, min), max).
  @Test func crossedBoundsGiveTheUpperOne() {
    #expect([0.0, 5, 9].map { Activation.clip(min: 6, max: 2)($0) } == [2, 2, 2])
  }

  @Test func clipOfIntegers() throws {
    let x = integers([.min, -5, 0, 5, .max])
    func clipped(_ op: Clip) throws -> [Int64]? { try evaluate(op, [x])[0].integers() }
    #expect(try clipped(Clip(min: -3, max: 3)) == [-3, -3, 0, 3, 3])
    #expect(try clipped(Clip()) == [.min, -5, 0, 5, .max])
    #expect(try clipped(Clip(min: -1e300, max: 1e300)) == [.min, -5, 0, 5, .max])
    #expect(try clipped(Clip(min: 1e300, max: 1e301)) == [.max, .max, .max, .max, .max])
  }

  @Test func reluTakesIntegersAndOthersDoNot() throws {
    #expect(try evaluate(Relu(), [integers([-2, 0, 2], .int8)])[0].integers() == [0, 0, 2])
    #expect(refusal(Sigmoid(), [TensorType(.int32, [1])]) == "does not take int32")
    #expect(refusal(Relu(), [TensorType(.bool, [1])]) == "does not take bool")
  }
}
