import SepalGraph
import SepalTensor
import Testing

/// Numbers recorded from ONNX Runtime 1.32 on the pattern of `pattern(_:seed:)`, unless a test says otherwise.
@Suite struct NormalizationTests {
  @Test func batchNorm() throws {
    try expect(
      BatchNorm(epsilon: 0.01),
      [
        pattern([2, 2, 2]), pattern([2], seed: 2), pattern([2], seed: 3), pattern([2], seed: 4),
        vector([0.5, 2]),
      ], shape: [2, 2, 2],
      gives: [2.30021, 1.07497, 0.470421, 2.01336, 1.25, 1.95014, 1.79294, 0.911262])
  }

  @Test func batchNormParametersMayBeWider() throws {
    let parameters = [1.0, 0, 0, 1].map { vector([$0, $0], .float32) }
    let x = pattern([1, 2, 2]).converted(to: .float16)
    let y = try #require(evaluate(BatchNorm(epsilon: 0), [x] + parameters).first)
    #expect(y.isIdentical(to: x))
  }

  @Test func instanceNorm() throws {
    try expect(
      InstanceNorm(epsilon: 0.01), [pattern([2, 2, 1, 3]), pattern([2], seed: 2), pattern([2], seed: 3)],
      shape: [2, 2, 1, 3],
      gives: [
        1.82566, 0.616769, 1.30757, 1.76958, 0.25, -1.26958, 0.642169, 1.25, 1.85783, 1.76958, 0.25, -1.26958,
      ])
  }

  @Test func layerNormOverTwoAxesWithABroadcastBias() throws {
    try expect(
      LayerNorm(axis: 1, epsilon: 0.01),
      [pattern([2, 2, 3]), pattern([2, 3], seed: 2), pattern([3], seed: 3)], shape: [2, 2, 3],
      gives: [
        1.94161, 1.11452, -0.873502, 0.0643774, 0.645208, -0.75, 0.573951, 0.437791, -1.01291, 0.461277,
        0.099767, -0.75,
      ])
  }

  @Test func groupNorm() throws {
    try expect(
      GroupNorm(groups: 2, epsilon: 0.01),
      [pattern([1, 4, 1, 2]), pattern([4], seed: 2), pattern([4], seed: 3)], shape: [1, 4, 1, 2],
      gives: [1.90294, 0.988824, -0.40294, 1.88235, -0.700628, -1.0956, -0.0368128, 1.14812])
  }

  @Test func localResponseNorm() throws {
    try expect(
      LRN(alpha: 0.5, beta: 0.75, bias: 1.5, size: 3), [pattern([1, 5, 1, 2])], shape: [1, 5, 1, 2],
      gives: [
        -0.803672, 0.321469, -0.320082, 0.773677, 0.166545, -0.472008, 0.632009, 0, -0.634701, 0.528745,
      ])
  }

  /// By hand: an even window reaches one channel further forwards than backwards.
  @Test func localResponseNormWithAnEvenWindow() throws {
    let x = vector([1, 2, 3, 4]).reshaped([1, 4, 1])
    try expect(
      LRN(alpha: 4, beta: 1, bias: 0, size: 4), [x], shape: [1, 4, 1],
      gives: [1.0 / 14, 2.0 / 30, 3.0 / 29, 4.0 / 25])
  }

  @Test func softmaxAlongAnInnerAxis() throws {
    try expect(
      Softmax(axis: 1), [pattern([1, 3, 2])], shape: [1, 3, 2],
      gives: [0.131602, 0.293815, 0.278601, 0.622006, 0.589798, 0.0841793])
  }

  @Test func softmaxDoesNotOverflow() throws {
    try expect(Softmax(), [vector([1e4, 1e4, -1e4])], shape: [3], gives: [0.5, 0.5, 0])
    try expect(Softmax(), [vector([-.infinity, 0])], shape: [2], gives: [0, 1])
    try expect(
      LogSoftmax(), [vector([-125, 50, -50, 125, 25, -75]).reshaped([2, 3])], shape: [2, 3],
      gives: [-175, 0, -100, 0, -100, -200])
  }

  @Test(arguments: [[0], [2, 0], [0, 3]])
  func softmaxOfNothing(shape: [Int]) throws {
    try expect(Softmax(), [pattern(shape)], shape: shape, gives: [])
    try expect(LogSoftmax(), [pattern(shape)], shape: shape, gives: [])
  }

  @Test func refusalsSayWhatWasExpected() {
    let x = TensorType(.float32, [1, 6, 2, 2])
    let six = TensorType(.float32, [6])
    #expect(
      refusal(GroupNorm(groups: 4), [x, six, six]) == "'groups' is 4, expected a divisor of the 6 channels")
    #expect(refusal(LRN(size: 0), [x]) == "'size' is 0, expected 1 or more")
    #expect(refusal(Softmax(axis: 4), [x]) == "'axis' is 4, expected −4…3")
    #expect(
      refusal(BatchNorm(), [x, six, six, six, TensorType(.float32, [5])])
        == "variance is float32[5], expected float32[6]")
    #expect(
      refusal(LayerNorm(axis: 2), [x, six]) == "scale is float32[6], expected float32 broadcasting to [2, 2]")
  }
}
