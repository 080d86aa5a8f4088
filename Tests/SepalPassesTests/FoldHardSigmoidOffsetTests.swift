import Testing

@Suite("fold-hard-sigmoid-offset")
struct FoldHardSigmoidOffsetTests {
  private let pass = "fold-hard-sigmoid-offset"

  @Test func theOffsetJoinsTheBiasOfAConvolution() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %y = Conv(%x, %w, %b) {activation: hardSigmoid(0.25,0.5)}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %y = Conv(%x, %w, %b) {activation: hardSigmoid(0.25,0.0)}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    ("ConvTranspose(%x, %w)", "float32[3x4x2x2]"), ("Conv(%x, %w)", "float32[4x3x3x3]"),
    ("Gemm(%m, %w)", "float32[5x4]"),
  ])
  func aLayerWithoutBiasGetsOne(layer: String, weight: String) throws {
    var folded = try graph(
      """
      input %x: float32[1x3x6x6]
      input %m: float32[2x5]
      constant %w: \(weight)
      %y = \(layer) {activation: hardSigmoid(0.25,0.5)}
      output y = %y
      """)
    let source = folded
    try run([pass], on: &folded)
    #expect(text(folded).contains("%y.bias") && text(folded).contains("hardSigmoid(0.25,0.0)"))
    try expectEquivalent(source, folded, tolerance: 1e-5)
  }

  @Test(arguments: ["%w2, %b2", "%w2"])
  func theOffsetOfAGateJoinsItsBias(operands: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w1: float32[2x3]
        constant %b1: float32[2]
        constant %w2: float32[3x2]
        \(operands == "%w2" ? "" : "constant %b2: float32[3]")
        %y = SqueezeExcite(%x, %w1, %b1, \(operands)) {gate: hardSigmoid(0.25,0.5)}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w1: float32[2x3]
        constant %b1: float32[2]
        constant %w2: float32[3x2]
        constant %y.b2: float32[3]
        %y = SqueezeExcite(%x, %w1, %b1, %w2, %y.b2) {gate: hardSigmoid(0.25,0.0)}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    ("Conv(%x, %w, %d)", "hardSigmoid(0.25,0.5)"), ("Conv(%x, %v, %b)", "hardSigmoid(0.25,0.5)"),
    ("Conv(%x, %w, %b, %r)", "hardSigmoid(0.25,0.5)"), ("Conv(%x, %w, %b)", "hardSigmoid(0.25,0.0)"),
    ("Conv(%x, %w, %b)", "hardSigmoid(0.0,0.5)"), ("Conv(%x, %w, %b)", "hardSigmoid(1e-300,0.5)"),
    ("Conv(%x, %w, %b)", "hardSwish"), ("Add(%x, %x)", "hardSigmoid(0.25,0.5)"),
  ])
  func otherNodesStay(layer: String, activation: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        input %d: float32[4]
        input %v: float32[4x3x3x3]
        input %r: float32[1x4x4x4]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %y = \(layer) {activation: \(activation)}
        output y = %y
        """)
  }
}
