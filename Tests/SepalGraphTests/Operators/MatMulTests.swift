import SepalGraph
import SepalTensor
import Testing

/// Numbers recorded from ONNX Runtime 1.32 on the pattern of `pattern(_:seed:)`.
@Suite struct MatMulTests {
  @Test func gemmTransposesAAndScalesBothTerms() throws {
    try expect(
      Gemm(transA: true, alpha: 0.5, beta: 2),
      [pattern([3, 2]), pattern([3, 4], seed: 2), pattern([4], seed: 1)], shape: [2, 4],
      gives: [1.03125, -1.9375, 2.65625, 0.71875, 1.59375, -0.21875, 1.75, 0.96875])
  }

  @Test func gemmTransposesBAndBroadcastsAColumn() throws {
    try expect(
      Gemm(transB: true), [pattern([2, 3]), pattern([4, 3], seed: 2), pattern([2, 1], seed: 1)],
      shape: [2, 4], gives: [1.625, 1.9375, 2.25, 2.5625, -1, -1.1875, -1.375, -1.5625])
  }

  @Test func gemmBroadcastsAScalarAndFusesTheActivation() throws {
    let inputs = [pattern([2, 3]), pattern([3, 2], seed: 2), pattern([1], seed: 1).reshaped([])]
    try expect(Gemm(beta: -1), inputs, shape: [2, 2], gives: [-0.25, -2.4375, -1.8125, 0.875])
    try expect(
      Gemm(beta: -1, activation: .clip(min: -2, max: 0.5)), inputs, shape: [2, 2],
      gives: [-0.25, -2, -1.8125, 0.5])
  }

  @Test func matMulBroadcastsBatches() throws {
    try expect(
      MatMul(), [pattern([2, 1, 2, 3]), pattern([2, 3, 2], seed: 4)], shape: [2, 2, 2, 2],
      gives: [
        0.6875, 0.5625, 1.3125, -1.5, -0.0625, 1.1875, -1.125, -1.875, 1.25, -1.5, 1.1875, -1.5, -1.5, -1.5,
        -1.875, -1.125,
      ])
  }

  @Test func matMulTakesVectorsOnEitherSide() throws {
    try expect(
      MatMul(), [pattern([3]), pattern([2, 3, 2], seed: 4)], shape: [2, 2],
      gives: [0.6875, 0.5625, -0.0625, 1.1875])
    try expect(MatMul(), [vector([1, 2, 3]), vector([4, 5, 6])], shape: [], gives: [32])
    try expect(
      MatMul(), [vector([1, 2, 3, 4]).reshaped([2, 2]), vector([10, 1])], shape: [2], gives: [12, 34])
  }

  @Test func matMulOfIntegersWraps() throws {
    let a = integers([.max, 2]).reshaped([1, 2])
    let y = try #require(evaluate(MatMul(), [a, integers([2, 3]).reshaped([2, 1])]).first)
    #expect(y.integers() == [.max &* 2 &+ 6])
  }

  @Test func anEmptySumIsZero() throws {
    try expect(MatMul(), [pattern([2, 0]), pattern([0, 3])], shape: [2, 3], gives: [0, 0, 0, 0, 0, 0])
    try expect(Gemm(), [pattern([1, 0]), pattern([0, 2]), vector([1, 2])], shape: [1, 2], gives: [1, 2])
  }

  @Test func multiplyAdds() throws {
    let gemm: Inputs<TensorType> = Inputs([TensorType(.float32, [5, 2]), TensorType(.float32, [3, 5])])
    let op = Gemm(transA: true, transB: true)
    #expect(op.macs(gemm, outputs: try op.inferOutputs(gemm)) == 2 * 3 * 5)
    let batched: Inputs<TensorType> = Inputs([
      TensorType(.float32, [7, 2, 5]), TensorType(.float32, [5, 3]),
    ])
    #expect(MatMul().macs(batched, outputs: try MatMul().inferOutputs(batched)) == 7 * 2 * 3 * 5)
  }

  @Test func refusalsSayWhatWasExpected() {
    let a = TensorType(.float32, [2, 3])
    #expect(
      refusal(Gemm(), [a, TensorType(.float32, [4, 5])]) == "b is float32[4x5], expected float32[3x5]")
    #expect(
      refusal(Gemm(), [a, TensorType(.float32, [3, 5]), TensorType(.float32, [2, 2, 5])])
        == "c is float32[2x2x5], expected float32 broadcasting to [2, 5]")
    #expect(
      refusal(MatMul(), [a, TensorType(.float32, [4, 5])])
        == "shapes float32[2x3] and float32[4x5] do not multiply")
  }
}
