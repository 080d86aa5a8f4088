import Testing

@Suite("fold-batch-norm-before-conv")
struct FoldBatchNormBeforeConvTests {
  private let pass = "fold-batch-norm-before-conv"

  @Test(arguments: [("[5x4x3x3]", ""), ("[8x1x3x3]", " {groups: 4}"), ("[6x2x3x3]", " {groups: 2}")])
  func statisticsGoIntoAnUnpaddedConvolution(w: String, attributes: String) throws {
    let outputs = w.dropFirst().prefix(1)
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x4x6x6]
        constant %g: float32[4]
        constant %b: float32[4]
        constant %m: float32[4]
        constant %v: float32[4] = positive
        constant %w: float32\(w)
        %n = BatchNorm(%x, %g, %b, %m, %v)
        %y = Conv(%n, %w)\(attributes)
        output y = %y
        """,
      to: """
        input %x: float32[1x4x6x6]
        constant %w: float32\(w)
        constant %y.bias: float32[\(outputs)]
        %y = Conv(%x, %w, %y.bias)\(attributes)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: ["Conv", "ConvTranspose"])
  func aScaleGoesThroughPadding(op: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x4x6x6]
        constant %s: float32[4x1x1]
        constant %w: float32[4x4x3x3]
        constant %b: float32[4]
        %n = Mul(%x, %s)
        %y = \(op)(%n, %w, %b) {padBegins: [1,1], padEnds: [1,1], activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[1x4x6x6]
        constant %w: float32[4x4x3x3]
        constant %b: float32[4]
        %y = \(op)(%x, %w, %b) {padBegins: [1,1], padEnds: [1,1], activation: relu}
        output y = %y
        """)
  }

  @Test(arguments: ["[4x3]", "[3x4]"])
  func aSumGoesIntoTheBiasOfADenseLayer(w: String) throws {
    let attributes = w == "[3x4]" ? " {transB: 1}" : ""
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x4]
        constant %t: float32[4]
        constant %w: float32\(w)
        constant %b: float32[3]
        %n = Add(%x, %t)
        %y = Gemm(%n, %w, %b)\(attributes)
        output y = %y
        """,
      to: """
        input %x: float32[2x4]
        constant %w: float32\(w)
        constant %b: float32[3]
        %y = Gemm(%x, %w, %b)\(attributes)
        output y = %y
        """)
  }

  @Test(arguments: [
    // The padding's zeros would be shifted.
    "%n = Add(%x, %s)\n%y = Conv(%n, %w) {padEnds: [1,1]}\noutput y = %y",
    "%n = ScaleShift(%x, %c, %c)\n%y = Conv(%n, %w) {padBegins: [1,0]}\noutput y = %y",
    "%n = Add(%x, %s)\n%y = ConvTranspose(%n, %w)\noutput y = %y",
    // Activated in between; another reader; a graph output.
    "%n = Mul(%x, %s) {activation: relu}\n%y = Conv(%n, %w)\noutput y = %y",
    "%n = Mul(%x, %s)\n%c1 = Conv(%n, %w)\n%y = Add(%c1, %n)\noutput y = %y",
    "%n = Mul(%x, %s)\n%y = Conv(%n, %w)\noutput y = %y\noutput n = %n",
    // A residual is added.
    "%n = Mul(%x, %s)\n%y = Conv(%n, %w, _, %x)\noutput y = %y",
    // Another axis; not constant; not finite.
    "%n = Mul(%x, %row)\n%y = Conv(%n, %w)\noutput y = %y",
    "%n = BatchNorm(%x, %c, %c, %c, %v) {layout: channelsLast}\n%y = Conv(%n, %w)\noutput y = %y",
    "%n = Mul(%x, %gate)\n%y = Conv(%n, %w)\noutput y = %y",
    "%n = Mul(%x, %huge)\n%y = Conv(%n, %hugew)\noutput y = %y",
    "%n = Mul(%x, %tiny)\n%y = Conv(%n, %tinyw)\noutput y = %y",
  ])
  func whatCannotBeFoldedStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x4x4x4]
        input %gate: float32[1x4x1x1]
        constant %w: float32[4x4x1x1]
        constant %s: float32[4x1x1]
        constant %c: float32[4]
        constant %v: float32[4] = positive
        constant %row: float32[4x1]
        constant %huge: float32[] = 1e30
        constant %tiny: float32[] = 1e-30
        constant %hugew: float32[4x4x1x1] = 1e30
        constant %tinyw: float32[4x4x1x1] = 1e-30
        \(nodes)
        """)
  }
}
