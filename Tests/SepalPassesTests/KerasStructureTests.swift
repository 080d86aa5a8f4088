import SepalGraph
import SepalPasses
import SepalTensor
import Testing

/// Through the whole pipeline: channels-last from the start, numbers as scalars, layers with a name each.
@Suite("blocks as Keras builds them")
struct KerasStructureTests {
  /// The nodes that are left of the graph, and nothing else; the numbers stay.
  private func expect(
    _ before: String, becomes after: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let original = try graph(before)
    var optimized = original
    var options = Optimizer.Options()
    options.verifyEachRewrite = true
    try Optimizer(options).run(&optimized)
    let nodes = text(optimized).split(separator: "\n").filter { $0.hasPrefix("%") }
    #expect(nodes.joined(separator: "\n") == after, sourceLocation: sourceLocation)
    expectOrigins(of: original, in: optimized, sourceLocation)
    try expectEquivalent(original, optimized, tolerance: 1e-5, sourceLocation: sourceLocation)
  }

  /// Constants of a batch normalisation over four channels.
  private let batchNorm = """
    constant %g: float32[4] = positive
    constant %b: float32[4]
    constant %m: float32[4]
    constant %v: float32[4] = positive
    """

  /// The shift cannot pass the zeros of the padding.
  @Test func rescalingBeforeAPaddedConvolutionIsOneNode() throws {
    try expect(
      """
      input %x: float32[1x9x9x3]
      constant %s: float32[] = 0.00784313725
      constant %t: float32[] = -1
      constant %w: float32[8x3x3x3]
      %a = Mul(%x, %s)
      %b = Add(%a, %t)
      %p = Pad(%b) {begins: [0,0,0,0], ends: [0,1,1,0], mode: constant}
      %y = Conv(%p, %w) {strides: [2,2], layout: channelsLast}
      output y = %y
      """,
      becomes: """
        %b = ScaleShift(%x, %b.scale, %b.shift) {layout: channelsLast}
        %y = Conv(%b, %w) {strides: [2,2], padEnds: [1,1], layout: channelsLast}
        """)
  }

  @Test(arguments: ["%b = Add(%a, %t)\n%p = Identity(%b)", "%p = Identity(%a)"])
  func rescalingIsFoldedWhereThatIsExact(rescaling: String) throws {
    // Without padding anything; with padding a factor alone.
    let pads = rescaling.contains("Add") ? "" : ", padEnds: [1,1]"
    try expect(
      """
      input %x: float32[1x9x9x3]
      constant %s: float32[] = 0.00784313725
      constant %t: float32[] = -1
      constant %w: float32[8x3x3x3]
      constant %c: float32[8]
      %a = Mul(%x, %s)
      \(rescaling)
      %y = Conv(%p, %w, %c) {strides: [2,2]\(pads), layout: channelsLast}
      output y = %y
      """,
      becomes: """
        %y = Conv(%x, %w, %c) {strides: [2,2]\(pads), layout: channelsLast}
        """)
  }

  /// Rescaling, normalisation and a second rescaling per channel.
  @Test func preprocessingOfEfficientNetIsOneNode() throws {
    try expect(
      """
      input %x: float32[1x9x9x3]
      constant %s: float32[] = 0.0039215686
      constant %z: float32[] = 0
      constant %m: float32[1x1x1x3] = [0.485,0.456,0.406]
      constant %v: float32[1x1x1x3] = [0.229,0.224,0.225]
      constant %u: float32[3] = [2.1,2.2,2.3]
      constant %w: float32[8x3x3x3]
      %a = Mul(%x, %s)
      %b = Add(%a, %z)
      %c = Sub(%b, %m)
      %d = Div(%c, %v)
      %e = Mul(%d, %u)
      %p = Pad(%e) {begins: [0,0,0,0], ends: [0,1,1,0], mode: constant}
      %y = Conv(%p, %w) {strides: [2,2], layout: channelsLast}
      output y = %y
      """,
      becomes: """
        %c = ScaleShift(%x, %c.scale, %c.shift) {layout: channelsLast}
        %y = Conv(%c, %w) {strides: [2,2], padEnds: [1,1], layout: channelsLast}
        """)
  }

  @Test func scaledAndShiftedActivationsBringNoTransposes() throws {
    try expect(
      """
      input %x: float32[1x4x4x8]
      constant %s: float32[] = 0.5
      constant %t: float32[] = -1
      %r = Tanh(%x)
      %a = Mul(%r, %s)
      %b = Add(%a, %t)
      %y = AveragePool(%b) {kernel: [2,2], strides: [2,2], layout: channelsLast}
      output y = %y
      """,
      becomes: """
        %r = Tanh(%x)
        %b = ScaleShift(%r, %b.scale, %b.shift) {layout: channelsLast}
        %y = AveragePool(%b) {kernel: [2,2], strides: [2,2], layout: channelsLast}
        """)
  }

  @Test(arguments: ["5", "2x5"]) func denseOverPositionsIsOneNode(positions: String) throws {
    let window =
      positions == "5" ? "strides: [1], padBegins: [0], padEnds: [0], dilations: [1], " : ""
    try expect(
      """
      input %x: float32[1x\(positions)x6]
      input %r: float32[1x\(positions)x4]
      constant %w: float32[6x4]
      constant %b: float32[4]
      %m = MatMul(%x, %w)
      %a = Add(%m, %b)
      %s = Add(%r, %a)
      %y = Relu(%s)
      output y = %y
      """,
      becomes: "%y = Conv(%x, %w, %m.bias, %r) {\(window)layout: channelsLast, activation: relu}")
  }

  @Test(arguments: [[2, 6], [2, 5, 6]]) func batchNormalisationAfterDenseIsFolded(shape: [Int]) throws {
    let layer =
      shape.count == 2
      ? "Gemm(%x, %w, %m.bias) {"
      : "Conv(%x, %w, %m.bias) {strides: [1], padBegins: [0], padEnds: [0], dilations: [1], layout: channelsLast, "
    try expect(
      """
      input %x: float32[\(shape.map(String.init).joined(separator: "x"))]
      constant %w: float32[6x4]
      constant %c: float32[4]
      \(batchNorm)
      %d = MatMul(%x, %w)
      %a = Add(%d, %c)
      %n = BatchNorm(%a, %g, %b, %m, %v) {layout: channelsLast}
      %y = Tanh(%n)
      output y = %y
      """, becomes: "%y = \(layer.replacing("%m.bias", with: "%d.bias"))activation: tanh}")
  }

  @Test func causalConvolutionOverOneAxisIsOneNode() throws {
    try expect(
      """
      input %x: float32[2x9x6]
      constant %w: float32[4x6x3]
      constant %c: float32[4]
      \(batchNorm)
      %p = Pad(%x) {begins: [0,2,0], ends: [0,0,0], mode: constant}
      %k = Conv(%p, %w, %c) {strides: [1], padBegins: [0], padEnds: [0], dilations: [1], layout: channelsLast}
      %n = BatchNorm(%k, %g, %b, %m, %v) {layout: channelsLast}
      %y = HardSwish(%n)
      output y = %y
      """,
      becomes:
        "%y = Conv(%x, %w, %c) {strides: [1], padBegins: [2], padEnds: [0], dilations: [1], layout: channelsLast, activation: hardSwish}"
    )
  }

  /// Its activation keeps the first normalisation out of the convolution behind it.
  @Test func denseNetLayer() throws {
    try expect(
      """
      input %x: float32[1x6x6x4]
      constant %w: float32[4x4x1x1]
      constant %w2: float32[2x4x3x3]
      \(batchNorm)
      %n = BatchNorm(%x, %g, %b, %m, %v) {layout: channelsLast}
      %r = Relu(%n)
      %c = Conv(%r, %w) {layout: channelsLast}
      %n2 = BatchNorm(%c, %b, %m, %g, %v) {layout: channelsLast}
      %r2 = Relu(%n2)
      %c2 = Conv(%r2, %w2) {padBegins: [1,1], padEnds: [1,1], layout: channelsLast}
      %y = Concat(%x, %c2) {axis: 3}
      output y = %y
      """,
      becomes: """
        %r = ScaleShift(%x, %n.scale, %n.shift) {layout: channelsLast, activation: relu}
        %r2 = Conv(%r, %w, %c.bias) {layout: channelsLast, activation: relu}
        %c2 = Conv(%r2, %w2) {padBegins: [1,1], padEnds: [1,1], layout: channelsLast}
        %y = Concat(%x, %c2) {axis: 3}
        """)
  }

  @Test func resNetV2BlockStartsWithItsNormalisation() throws {
    try expect(
      """
      input %x: float32[1x6x6x4]
      constant %w: float32[4x4x1x1]
      constant %w2: float32[4x4x3x3]
      constant %w3: float32[4x4x1x1]
      constant %c: float32[4]
      \(batchNorm)
      %n = BatchNorm(%x, %g, %b, %m, %v) {layout: channelsLast}
      %r = Relu(%n)
      %s = Conv(%r, %w, %c) {layout: channelsLast}
      %p = Pad(%r) {begins: [0,1,1,0], ends: [0,1,1,0], mode: constant}
      %k = Conv(%p, %w2) {layout: channelsLast}
      %n2 = BatchNorm(%k, %b, %m, %g, %v) {layout: channelsLast}
      %r2 = Relu(%n2)
      %k2 = Conv(%r2, %w3, %c) {layout: channelsLast}
      %y = Add(%s, %k2)
      output y = %y
      """,
      becomes: """
        %r = ScaleShift(%x, %n.scale, %n.shift) {layout: channelsLast, activation: relu}
        %s = Conv(%r, %w, %c) {layout: channelsLast}
        %r2 = Conv(%r, %w2, %k.bias) {padBegins: [1,1], padEnds: [1,1], layout: channelsLast, activation: relu}
        %y = Conv(%r2, %w3, %c, %s) {layout: channelsLast}
        """)
  }

  @Test func nasNetSeparableConvolutionIsTwoNodes() throws {
    try expect(
      """
      input %x: float32[1x7x7x4]
      constant %d: float32[4x1x5x5]
      constant %w: float32[4x4x1x1]
      \(batchNorm)
      %r = Relu(%x)
      %p = Pad(%r) {begins: [0,1,1,0], ends: [0,2,2,0], mode: constant}
      %c = Conv(%p, %d) {strides: [2,2], groups: 4, layout: channelsLast}
      %c2 = Conv(%c, %w) {layout: channelsLast}
      %n = BatchNorm(%c2, %g, %b, %m, %v) {layout: channelsLast}
      %y = Relu(%n)
      output y = %y
      """,
      becomes: """
        %r = Relu(%x)
        %c = Conv(%r, %d) {strides: [2,2], padBegins: [1,1], padEnds: [2,2], groups: 4, layout: channelsLast}
        %y = Conv(%c, %w, %c2.bias) {layout: channelsLast, activation: relu}
        """)
  }

  /// Keras 3's hard sigmoid has slope 1/6, that of Keras 2 slope 0.2.
  @Test(arguments: [
    (0.16666666666666666, "%y = HardSwish(%x)"), (0.2, "%h = HardSigmoid(%x)\n%y = Mul(%x, %h)"),
  ])
  func onlyOneHardSigmoidGatesAHardSwish(slope: Double, after: String) throws {
    try expect(
      """
      input %x: float32[1x6x6x4]
      %h = HardSigmoid(%x) {alpha: \(slope)}
      %y = Mul(%x, %h)
      output y = %y
      """, becomes: after)
  }

  @Test func hardSwishOfMobileNetV3() throws {
    try expect(
      """
      input %x: float32[1x6x6x4]
      constant %three: float32[] = 3
      constant %sixth: float32[] = 0.16666667
      %a = Add(%x, %three)
      %r = Clip(%a) {min: 0.0, max: 6.0}
      %h = Mul(%r, %sixth)
      %y = Mul(%x, %h)
      output y = %y
      """, becomes: "%y = HardSwish(%x)")
  }

  @Test(arguments: ["1x4", "1x1x1x4"]) func squeezeExciteOfDenseLayers(pooled: String) throws {
    let shape = pooled.replacing("x", with: ",")
    try expect(
      """
      input %x: float32[1x6x6x4]
      constant %w1: float32[4x2]
      constant %b1: float32[2]
      constant %w2: float32[2x4]
      constant %b2: float32[4]
      %p = GlobalAveragePool(%x) {layout: channelsLast, keepDims: 0}
      %q = Reshape(%p) {shape: [\(shape)]}
      %m = MatMul(%q, %w1)
      %a = Add(%m, %b1)
      %r = Relu(%a)
      %m2 = MatMul(%r, %w2)
      %a2 = Add(%m2, %b2)
      %g = Sigmoid(%a2)
      %e = Reshape(%g) {shape: [1,1,1,4]}
      %y = Mul(%x, %e)
      output y = %y
      """, becomes: "%y = SqueezeExcite(%x, %y.w1, %y.b1, %y.w2, %y.b2) {layout: channelsLast}")
  }
}
