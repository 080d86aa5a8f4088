import SepalGraph
import SepalTensor
import Testing

/// Numbers recorded from ONNX Runtime 1.32 on the pattern of `pattern(_:seed:)`.
@Suite struct ConvolutionTests {
  private static let grouped = Conv(
    strides: [2, 1], padBegins: [1, 0], padEnds: [0, 2], dilations: [1, 2], groups: 2)
  private static let groupedInputs = [
    pattern([1, 4, 5, 6]), pattern([4, 2, 3, 2], seed: 3), pattern([4], seed: 5),
  ]
  private static let groupedOutput = [
    0.25, -1.0625, 1.0625, -1.625, -1.5625, 0.9375, 1.0625, 1.1875, -3.5, 2.125, 0.625, -5.75, -1, 3.625, 0,
    1.1875, 1.75, 0, 5.25, -1.875, 1.3125, 3.8125, -0.0625, 3, -0.3125, 0.625, -0.5, 1.8125, -0.1875,
    -0.6875, 2.1875, -1.1875, 3, -1.75, -1.5, 2.75, 0.625, -4.875, 0.625, -0.0625, -0.9375, -0.1875, -6.5,
    2.125, -0.9375, -1.25, 0.3125, -3.1875,
  ]

  @Test func groupsStridesDilationsAndUnevenPads() throws {
    try expect(Self.grouped, Self.groupedInputs, shape: [1, 4, 2, 6], gives: Self.groupedOutput)
  }

  @Test func oneSpatialAxis() throws {
    try expect(
      Conv(strides: [2], padBegins: [1], padEnds: [1], dilations: [1]),
      [pattern([2, 2, 5]), pattern([3, 2, 3], seed: 1)], shape: [2, 3, 3],
      gives: [
        2.8125, 1.3125, -0.3125, 3.0625, 0.6875, -0.9375, -2.1875, -1.3125, 1.1875, -2.375, -2.4375, -0.125,
        -1.375, -1.9375, 0, -0.375, 2.6875, 0.8125,
      ])
  }

  @Test func threeSpatialAxes() throws {
    try expect(
      Conv(strides: [1, 2, 1], padBegins: [0, 1, 0], padEnds: [0, 0, 0], dilations: [1, 1, 1]),
      [pattern([1, 1, 3, 3, 3]), pattern([2, 1, 2, 2, 2], seed: 4)], shape: [1, 2, 2, 2, 2],
      gives: [
        -1.125, 2.125, 1.125, 1, 2, -0.9375, -1.375, -0.8125, -1.1875, 1.75, 1.625, 0.875, 1.875, -1.375,
        -1.6875, -0.375,
      ])
  }

  @Test func residualIsAddedBeforeTheActivation() throws {
    var op = Self.grouped
    op.activation = .relu
    let residual = pattern([1, 4, 2, 6], seed: 1)
    let expected = zip(Self.groupedOutput, residual.doubles()).map { max(0, $0 + $1) }
    try expect(op, Self.groupedInputs + [residual], shape: [1, 4, 2, 6], gives: expected)
  }

  @Test func transposedWithGroupsStridesDilationsAndOutputPadding() throws {
    try expect(
      ConvTranspose(
        strides: [2, 3], padBegins: [1, 0], padEnds: [0, 1], dilations: [1, 2], outputPadding: [1, 2],
        groups: 2),
      [pattern([1, 4, 2, 3]), pattern([4, 1, 3, 2], seed: 3), pattern([2], seed: 5)], shape: [1, 2, 5, 10],
      gives: [
        -1.0625, -0.75, -1.5, -1.125, -0.75, -0.25, 0.875, -0.75, -1.75, -0.75, 0.875, -0.75, 1.875, -0.625,
        -0.75, -1.125, -2.125, -0.75, -1.375, -0.75, -2.625, -0.75, 0.875, -0.625, -0.75, -0.625, 1.375,
        -0.75, -2.125, -0.75, -1.125, -0.75, -1.0625, -0.625, -0.75, -1.3125, -0.125, -0.75, -1.5625, -0.75,
        -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, 1.5, 1, 1, 0, 1, 1.5, 2.625,
        1, 0.625, 1, 0.625, 1, 1.5, 0.375, 1, 2.5, 0.8125, 1, 0.75, 1, 1.125, 1, 1.125, -0.375, 1, 1.625,
        2.25, 1, 0.75, 1, 0.4375, 1, 1.125, 0.1875, 1, 0.125, 0.625, 1, 1.875, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1,
      ])
  }

  @Test func transposedOneSpatialAxis() throws {
    try expect(
      ConvTranspose(strides: [2], padBegins: [1], padEnds: [1], dilations: [1], outputPadding: [1]),
      [pattern([1, 2, 3]), pattern([2, 2, 3], seed: 2)], shape: [1, 2, 6],
      gives: [
        -0.625, -1.125, 0.8125, 1.0625, -1.1875, 0.0625, -0.625, -1.3125, 0.625, 1.1875, -0.875, 0.375,
      ])
  }

  /// TensorFlow's padding 'same': stride outputs per input. What the windows reach beyond that is cut, one more at the
  /// end when it is odd; what they do not reach is output padding. Recorded from `tf.nn.conv1d_transpose`.
  @Test(arguments: [
    (2, 3, [0, 0.75, 0, 1.3125, 0.5625, 0, -0.8125, -0.3125, 0, 0.5, -0.5, 0]),
    (3, 2, [-0.5, 0.25, -1, -0.6875, 0.5625, 0.4375, 0.0625, -0.5]),
    (4, 2, [1.125, -2.75, 0.6875, 0.0625, -2.25, 0.8125, 0.3125, 1.25]),
    (3, 3, [-0.5, 0.25, -1.0625, 0.0625, -0.6875, 0.625, -0.0625, 0.4375, -0.4375, 0.5, -0.5, 1.25]),
    (5, 1, [-2.4375, -1.4375, 2.1875, 0.8125]),
  ])
  func transposedConvolutionAsTensorFlowPads(kernel: Int, stride: Int, expected: [Double]) throws {
    let (excess, missing) = (max(kernel - stride, 0), max(stride - kernel, 0))
    let op = ConvTranspose(
      strides: [stride], padBegins: [excess / 2], padEnds: [excess - excess / 2], dilations: [1],
      outputPadding: [missing], layout: .channelsLast)
    try expect(
      op, [pattern([1, 4, 2]), pattern([2, 1, kernel], seed: 1)], shape: [1, 4 * stride, 1], gives: expected)
  }

  @Test func anEmptyBatchGivesAnEmptyOutput() throws {
    let weight = pattern([4, 2, 3, 2])
    try expect(Conv(groups: 2), [pattern([0, 4, 5, 6]), weight], shape: [0, 4, 3, 5], gives: [])
    try expect(ConvTranspose(), [pattern([0, 4, 5, 6]), weight], shape: [0, 2, 7, 7], gives: [])
  }

  @Test func multiplyAddsCountEveryTapOfEveryOutput() throws {
    let x = TensorType(.float32, [2, 4, 5, 6])
    let types = Inputs<TensorType>([x, TensorType(.float32, [8, 2, 3, 3])])
    let conv = Conv(padBegins: [1, 1], padEnds: [1, 1], groups: 2)
    #expect(conv.macs(types, outputs: try conv.inferOutputs(types)) == 2 * 8 * 5 * 6 * 2 * 9)
    let transposed: Inputs<TensorType> = Inputs([x, TensorType(.float32, [4, 8, 3, 3])])
    #expect(
      ConvTranspose().macs(transposed, outputs: try ConvTranspose().inferOutputs(transposed))
        == 2 * 4 * 5 * 6 * 8 * 9)
  }

  @Test func refusalsSayWhatWasExpected() {
    let x = TensorType(.float32, [1, 3, 8, 8])
    let weight = TensorType(.float32, [4, 3, 3, 3])
    #expect(refusal(Conv(strides: [1]), [x, weight]) == "'strides' has 1 values, expected 2")
    #expect(
      refusal(Conv(padBegins: [0, -1]), [x, weight])
        == "'padBegins' is [0, -1], expected values from 0 to 2147483647")
    #expect(refusal(Conv(groups: 0), [x, weight])?.contains("0 groups") == true)
    #expect(
      refusal(Conv(dilations: [4, 4]), [x, weight])
        == "the kernel [3, 3] does not fit the padded input float32[1x3x8x8] along spatial axis 0")
    #expect(
      refusal(Conv(), [x, weight, TensorType(.float32, [3])])
        == "bias is float32[3], expected float32[4]")
    #expect(refusal(Conv(), [x, nil]) == "input 'weight' is missing")
    #expect(
      refusal(ConvTranspose(padBegins: [9, 9], padEnds: [9, 9]), [x, TensorType(.float32, [3, 4, 3, 3])])?
        .contains("no output is left along spatial axis 0") == true)
  }
}
