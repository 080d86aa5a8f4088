import Testing

@Suite("fuse-activation")
struct FuseActivationTests {
  private let pass = "fuse-activation"

  @Test(arguments: [
    ("Relu", ""), ("HardSwish", ""), ("Sigmoid", ""), ("Silu", ""), ("Tanh", ""), ("Gelu", ""),
    ("LeakyRelu", ""),
    ("Elu", ""), ("HardSigmoid", ""), ("Clip", " {min: 0.0, max: 6.0}"),
  ])
  func everyActivationBecomesTheLastStepOfAConvolution(op: String, attributes: String) throws {
    let activations = [
      "Relu": "relu", "HardSwish": "hardSwish", "Sigmoid": "sigmoid", "Silu": "silu", "Tanh": "tanh",
      "Gelu": "gelu",
      "LeakyRelu": "leakyRelu(0.01)", "Elu": "elu(1.0)", "HardSigmoid": "hardSigmoid(0.2,0.5)",
      "Clip": "clip(0.0,6.0)",
    ]
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %c = Conv(%x, %w)
        %y = \(op)(%c)\(attributes)
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %y = Conv(%x, %w) {activation: \(activations[op] ?? "?")}
        output y = %y
        """, exactness: .exact)
  }

  @Test(arguments: [
    "Add(%x, %z)", "Mul(%x, %z)", "BatchNorm(%x, %s, %s, %s, %v)", "ScaleShift(%x, %s)", "Gemm(%x, %m)",
    "ConvTranspose(%k, %w)",
  ])
  func everyOperatorWithAnActivationTakesOne(op: String) throws {
    let operands = """
      input %x: float32[2x4]
      input %z: float32[2x4]
      input %k: float32[1x2x4x4]
      constant %s: float32[4]
      constant %v: float32[4] = positive
      constant %m: float32[4x4]
      constant %w: float32[2x3x3x3]
      """
    var fused = try graph(
      """
      \(operands)
      %c = \(op)
      %y = Relu(%c)
      output y = %y
      """)
    let source = fused
    try run([pass], on: &fused)
    #expect(fused.nodeCount == 1)
    #expect(text(fused).contains("activation: relu"))
    try expectEquivalent(source, fused, tolerance: 1e-5)
  }

  @Test(arguments: [
    ("Clip(%r) {min: 0.0, max: 6.0}", "relu", "clip(0.0,6.0)"),
    ("Relu(%r)", "clip(-1.0,6.0)", "clip(0.0,6.0)"),
    ("Relu(%r)", "sigmoid", "sigmoid"), ("Clip(%r) {min: 2.0, max: 3.0}", "clip(0.0,1.0)", "clip(2.0,2.0)"),
    ("Clip(%r) {min: -1.0}", "relu", "relu"),
  ])
  func limitsOfLimitsAreOneLimit(outer: String, inner: String, composed: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %r = Conv(%x, %w) {activation: \(inner)}
        %y = \(outer)
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %y = Conv(%x, %w) {activation: \(composed)}
        output y = %y
        """)
  }

  @Test func activationsThatDoNotComposeStay() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %r = Conv(%x, %w) {activation: relu}
        %y = Sigmoid(%r)
        output y = %y
        """)
  }

  @Test func aResultWithAnotherReaderStays() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %c = Conv(%x, %w)
        %y = Sigmoid(%c)
        %z = Mul(%c, %y)
        output z = %z
        """)
  }

  @Test func aResultThatIsAGraphOutputStays() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %c = Conv(%x, %w)
        %y = Relu(%c)
        output c = %c
        output y = %y
        """)
  }

  @Test func integersStay() throws {
    try expect(
      pass,
      leaves: """
        input %x: int64[4]
        input %z: int64[4]
        %c = Add(%x, %z)
        %y = Relu(%c)
        output y = %y
        """)
  }

  @Test func operatorsWithoutAnActivationStay() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        %p = MaxPool(%x) {kernel: [2,2], strides: [2,2]}
        %y = Relu(%p)
        output y = %y
        """)
  }
}
