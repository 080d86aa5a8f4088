import SepalGraph
import SepalTensor
import Testing

/// Numbers recorded from ONNX Runtime 1.32 on the pattern of `pattern(_:seed:)`.
@Suite struct PoolingTests {
  @Test func maxPoolInCeilModeClipsTheLastWindow() throws {
    try expect(
      MaxPool(kernel: [3, 2], strides: [2, 2], padBegins: [1, 0], padEnds: [1, 1], ceilMode: true),
      [pattern([1, 2, 5, 6])], shape: [1, 2, 3, 3],
      gives: [1, 1.25, 0.25, 1, 1.25, 1, 1.25, 0.75, 1, 1.25, 1, 0.5, 1.25, 1, 1.25, 0.25, 1, 1.25])
  }

  @Test func maxPoolWithDilationsAndUnevenPads() throws {
    try expect(
      MaxPool(kernel: [2, 3], padBegins: [0, 1], padEnds: [1, 0], dilations: [2, 2]),
      [pattern([1, 1, 5, 6])], shape: [1, 1, 4, 3],
      gives: [1.25, 1.25, 1.25, 0.75, 1, 0.75, 1.25, 1.25, 1.25, -0.25, 0.75, 0.5])
  }

  @Test func maxPoolPropagatesNaNAndTreatsPaddingAsMinusInfinity() throws {
    let pool = MaxPool(kernel: [2], strides: [1], padBegins: [1], padEnds: [0], dilations: [1])
    try expect(
      pool, [vector([-3, .nan, -1, -2]).reshaped([1, 1, 4])], shape: [1, 1, 4], gives: [-3, .nan, .nan, -1])
    let empty = MaxPool(kernel: [1], strides: [2], padBegins: [2], padEnds: [0], dilations: [1])
    try expect(empty, [vector([5]).reshaped([1, 1, 1])], shape: [1, 1, 2], gives: [-.infinity, 5])
  }

  @Test func maxPoolOfIntegersStaysExact() throws {
    let large = Int64(1) << 60
    let x = integers([large, large + 1, -large]).reshaped([1, 1, 3])
    let pool = MaxPool(kernel: [2], strides: [1], padBegins: [0], padEnds: [0], dilations: [1])
    let y = try #require(evaluate(pool, [x]).first)
    #expect(y.integers() == [large + 1, large + 1])
  }

  @Test func averagePoolLeavesPaddingOutOfTheDivisor() throws {
    try expect(
      AveragePool(kernel: [3, 2], strides: [2, 3], padBegins: [1, 0], padEnds: [0, 1], ceilMode: true),
      [pattern([1, 2, 5, 4])], shape: [1, 2, 3, 2],
      gives: [
        -0.3125, 0.625, -0.125, -0.333333, 0.0625, -0.375, 0.3125, -0.125, 0.0416667, -0.166667, 0, 0.25,
      ])
  }

  /// Recorded from `tf.nn.avg_pool2d` with padding 'same': uneven pads, which never count.
  @Test func averagePoolAsTensorFlowPads() throws {
    let op = AveragePool(
      kernel: [2, 3], strides: [2, 2], padBegins: [0, 1], padEnds: [1, 1], layout: .channelsLast)
    try expect(
      op, [pattern([1, 3, 5, 1], seed: 2)], shape: [1, 2, 3, 1],
      gives: [-0.0625, 0.04166667, -0.3125, 0, 0.3333333, -0.25])
  }

  @Test func averagePoolCountsPaddingOnRequest() throws {
    try expect(
      AveragePool(
        kernel: [3, 2], strides: [2, 3], padBegins: [1, 0], padEnds: [0, 1], ceilMode: true,
        countIncludePad: true),
      [pattern([1, 2, 5, 4])], shape: [1, 2, 3, 2],
      gives: [
        -0.208333, 0.208333, -0.125, -0.166667, 0.0625, -0.1875, 0.208333, -0.0416667, 0.0416667, -0.0833333,
        0, 0.125,
      ])
  }

  @Test(arguments: [
    (false, [0, 0, 0, 0.375, -0.1875, 0.0416667, -0.1875, 0.1875, -0.375, 0.0833333, -0.375, 0]),
    (true, [0, 0, 0, 0.125, -0.125, 0.0416667, -0.125, 0.125, -0.125, 0.0416667, -0.125, 0]),
  ])
  func averagePoolWithDilations(countIncludePad: Bool, expected: [Double]) throws {
    try expect(
      AveragePool(
        kernel: [2, 3], strides: [2, 1], padBegins: [1, 1], padEnds: [1, 2], dilations: [2, 2],
        countIncludePad: countIncludePad),
      [pattern([1, 1, 5, 5])], shape: [1, 1, 3, 4], gives: expected)
  }

  @Test func averagePoolOverThreeSpatialAxes() throws {
    try expect(
      AveragePool(
        kernel: [2, 2, 2], strides: [2, 1, 2], padBegins: [0, 1, 1], padEnds: [1, 0, 0], dilations: [1, 1, 1]),
      [pattern([1, 1, 3, 3, 3])], shape: [1, 1, 2, 3, 2],
      gives: [-0.25, -0.375, 0.3125, -0.15625, 0.75, -0.0625, 0, -0.125, -0.125, -0.25, -0.375, 0.1875])
  }

  /// 1…7 in one row: what ceil mode does with the part of a window beyond the padded input.
  @Test(
    arguments: [
      (3, 3, 1, 1, 1, false, [1.5, 4, 6.5]),
      (3, 3, 1, 1, 1, true, [1, 4, 13.0 / 3]),
      (2, 2, 1, 1, 3, false, [3, 3.5, 5.5, 6]),
      (2, 2, 1, 1, 3, true, [1.5, 3.5, 5.5, 6]),
      // A fourth window would start in the end padding: it does not exist.
      (2, 3, 1, 1, 1, true, [0.5, 3.5, 6.5]),
    ] as [(Int, Int, Int, Int, Int, Bool, [Double])])
  func averagePoolInCeilMode(
    kernel: Int, stride: Int, padBegin: Int, padEnd: Int, dilation: Int, countIncludePad: Bool,
    expected: [Double]
  ) throws {
    try expect(
      AveragePool(
        kernel: [kernel], strides: [stride], padBegins: [padBegin], padEnds: [padEnd], dilations: [dilation],
        ceilMode: true, countIncludePad: countIncludePad),
      [vector([1, 2, 3, 4, 5, 6, 7]).reshaped([1, 1, 7])], shape: [1, 1, expected.count], gives: expected)
  }

  @Test func globalPoolsReduceEverySpatialAxis() throws {
    let x = vector([1, 2, 3, 6, -1, -2, -3, .nan]).reshaped([1, 2, 2, 2])
    try expect(GlobalAveragePool(), [x], shape: [1, 2, 1, 1], gives: [3, .nan])
    try expect(GlobalMaxPool(), [x], shape: [1, 2, 1, 1], gives: [6, .nan])
    let last = GlobalAveragePool(layout: .channelsLast, keepDims: false)
    try expect(last, [vector([1, 10, 3, 30]).reshaped([1, 2, 1, 2])], shape: [1, 2], gives: [2, 20])
  }

  @Test func globalPoolsOfNothing() throws {
    let nothing = pattern([1, 2, 0, 3])
    try expect(GlobalAveragePool(), [nothing], shape: [1, 2, 1, 1], gives: [.nan, .nan])
    try expect(GlobalMaxPool(), [nothing], shape: [1, 2, 1, 1], gives: [-.infinity, -.infinity])
  }

  @Test func refusalsSayWhatWasExpected() {
    let x = TensorType(.float32, [1, 3, 8, 8])
    #expect(refusal(MaxPool(kernel: [2, 2, 2]), [x]) == "'kernel' has 3 values, expected 2")
    #expect(
      refusal(AveragePool(kernel: [0, 2]), [x]) == "'kernel' is [0, 2], expected values from 1 to 2147483647")
    #expect(
      refusal(AveragePool(kernel: [9, 2]), [x])
        == "the kernel [9, 2] does not fit the padded input float32[1x3x8x8] along spatial axis 0")
    #expect(
      refusal(AveragePool(kernel: [2, 2]), [TensorType(.int32, [1, 3, 8, 8])])
        == "x is int32[1x3x8x8], expected floating point")
    #expect(
      refusal(GlobalAveragePool(), [TensorType(.float32, [1, 3])])
        == "x is float32[1x3], expected rank 3 or more")
  }
}
