import Testing

@Suite("fold-scale-into-conv")
struct FoldScaleIntoConvTests {
  private let pass = "fold-scale-into-conv"

  @Test(arguments: ["[4x1x1]", "[1x4x1x1]", "[]", "[1]"])
  func aProductAndASumAfterAConvolutionGoIntoIt(shape: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        constant %s: float32\(shape)
        constant %t: float32\(shape)
        %c = Conv(%x, %w)
        %d = Mul(%c, %s)
        %y = Add(%d, %t) {activation: hardSwish}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        constant %c.bias: float32[4]
        %y = Conv(%x, %w, %c.bias) {activation: hardSwish}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func channelsLastConstantsOfOneAxis() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x6x6x3]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        constant %s: float32[4]
        %c = Conv(%x, %w, %b) {layout: channelsLast}
        %y = Mul(%c, %s)
        output y = %y
        """,
      to: """
        input %x: float32[1x6x6x3]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %y = Conv(%x, %w, %b) {layout: channelsLast}
        output y = %y
        """)
  }

  @Test func aSumAloneLeavesTheWeightsAsTheyAre() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x3]
        constant %w: float32[3x4]
        constant %t: float32[1x4]
        %c = Gemm(%x, %w)
        %y = Add(%c, %t)
        %z = Gemm(%x, %w)
        output y = %y
        output z = %z
        """,
      to: """
        input %x: float32[2x3]
        constant %w: float32[3x4]
        constant %c.bias: float32[4]
        %z = Gemm(%x, %w)
        %y = Gemm(%x, %w, %c.bias)
        output y = %y
        output z = %z
        """)
  }

  @Test func aScaleShiftAfterATransposedConvolution() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x4x4x4]
        constant %w: float32[4x3x2x2]
        constant %s: float32[6]
        %c = ConvTranspose(%x, %w) {strides: [2,2], groups: 2}
        %y = ScaleShift(%c, %s, %s)
        output y = %y
        """,
      to: """
        input %x: float32[1x4x4x4]
        constant %w: float32[4x3x2x2]
        constant %c.bias: float32[6]
        %y = ConvTranspose(%x, %w, %c.bias) {strides: [2,2], groups: 2}
        output y = %y
        """)
  }

  @Test(arguments: [
    // The constant varies along another axis, or along several.
    "%c = Conv(%x, %w)\n%y = Mul(%c, %row)\noutput y = %y",
    "%c = Conv(%x, %w)\n%y = Mul(%c, %plane)\noutput y = %y",
    // It widens the result.
    "%c = Conv(%x, %w)\n%y = Mul(%c, %batch)\noutput y = %y",
    // Not constant.
    "%c = Conv(%x, %w)\n%y = Mul(%c, %gate)\noutput y = %y",
    // Activated before; another reader; a graph output.
    "%c = Conv(%x, %w) {activation: relu}\n%y = Mul(%c, %s)\noutput y = %y",
    "%c = Conv(%x, %w)\n%d = Mul(%c, %s)\n%y = Add(%c, %d)\noutput y = %y",
    "%c = Conv(%x, %w)\n%y = Mul(%c, %s)\noutput y = %y\noutput c = %c",
    // Overflow; loss of precision.
    "%c = Conv(%x, %huge)\n%y = Mul(%c, %huge)\noutput y = %y",
    "%c = Conv(%x, %tiny)\n%y = Mul(%c, %tiny)\noutput y = %y",
    // No layer.
    "%c = Relu(%x)\n%y = Mul(%c, %s)\noutput y = %y",
    // A Gemm that is not canonical, or whose addend varies along rows.
    "%c = Gemm(%a, %m) {alpha: 2.0}\n%y = Mul(%c, %m4)\noutput y = %y",
    "%c = Gemm(%a, %m, %column)\n%y = Mul(%c, %m4)\noutput y = %y",
  ])
  func whatCannotBeFoldedStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x4x4x4]
        input %gate: float32[1x4x1x1]
        input %a: float32[2x4]
        constant %w: float32[4x4x1x1]
        constant %s: float32[4x1x1]
        constant %row: float32[4x1]
        constant %plane: float32[4x4]
        constant %batch: float32[2x4x1x1]
        constant %huge: float32[4x4x1x1] = 1e30
        constant %tiny: float32[4x4x1x1] = 1e-30
        constant %m: float32[4x4]
        constant %m4: float32[4]
        constant %column: float32[2x1]
        \(nodes)
        """)
  }
}
