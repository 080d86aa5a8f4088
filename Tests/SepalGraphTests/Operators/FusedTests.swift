import SepalGraph
import SepalTensor
import Testing

@Suite struct FusedTests {
  /// By hand: the channel means are 2 and 6, the hidden value relu(2 − 6 + 5) = 1, the gates
  /// hardSigmoid(1·1 + 0) = 0.7 and hardSigmoid(−1·1 + 1) = 0.5.
  @Test func squeezeExcite() throws {
    let x = vector([1, 3, 4, 8]).reshaped([1, 2, 1, 2])
    let w1 = vector([1, -1]).reshaped([1, 2])
    let w2 = vector([1, -1]).reshaped([2, 1])
    try expect(
      SqueezeExcite(layout: .channelsFirst, inner: .relu, gate: .hardSigmoid(alpha: 0.2, beta: 0.5)),
      [x, w1, vector([5]), w2, vector([0, 1])], shape: [1, 2, 1, 2], gives: [0.7, 2.1, 2, 4])
  }

  @Test func squeezeExciteWithoutBiases() throws {
    let x = vector([2, 2, -4, -4]).reshaped([2, 2, 1])
    let one = vector([1]).reshaped([1, 1])
    let op = SqueezeExcite(layout: .channelsLast, inner: .identity, gate: .identity)
    try expect(op, [x, one, nil, one, nil], shape: [2, 2, 1], gives: [4, 4, 16, 16])
    #expect(
      refusal(op, [x.type, one.type, nil, TensorType(.float32, [1, 2]), nil])
        == "w2 is float32[1x2], expected float32[1x1]")
  }

  @Test func squeezeExciteCountsBothLayers() throws {
    let op = SqueezeExcite()
    let types: Inputs<TensorType> = Inputs([
      TensorType(.float32, [3, 16, 7, 7]), TensorType(.float32, [4, 16]), nil, TensorType(.float32, [16, 4]),
      nil,
    ])
    #expect(op.macs(types, outputs: try op.inferOutputs(types)) == 3 * 2 * 16 * 4)
  }

  @Test func scaleShift() throws {
    let x = vector([1, 2, 3, 4]).reshaped([1, 2, 2])
    try expect(
      ScaleShift(layout: .channelsFirst, activation: .clip(min: 0, max: 6)),
      [x, vector([2, -1]), vector([3, 3.5])], shape: [1, 2, 2], gives: [5, 6, 0.5, 0])
    try expect(
      ScaleShift(layout: .channelsLast), [x, vector([2, -1])], shape: [1, 2, 2], gives: [2, -2, 6, -4])
  }
}
