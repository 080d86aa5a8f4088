import Testing

@Suite("fuse-residual-add")
struct FuseResidualAddTests {
  private let pass = "fuse-residual-add"

  @Test(arguments: ["%c, %x", "%x, %c"])
  func theShortcutBecomesAnOperandAndTheActivationMoves(operands: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[3x3x3x3]
        %c = Conv(%x, %w) {padBegins: [1,1], padEnds: [1,1]}
        %y = Add(\(operands)) {activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[3x3x3x3]
        %y = Conv(%x, %w, _, %x) {padBegins: [1,1], padEnds: [1,1], activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func ofTwoConvolutionsTheLaterOneTakesTheOther() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %u: float32[4x3x1x1]
        constant %v: float32[4x3x1x1]
        constant %b: float32[4]
        %a = Conv(%x, %u)
        %c = Conv(%x, %v, %b) {layout: channelsFirst}
        %y = Add(%a, %c)
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %u: float32[4x3x1x1]
        constant %v: float32[4x3x1x1]
        constant %b: float32[4]
        %a = Conv(%x, %u)
        %y = Conv(%x, %v, %b, %a)
        output y = %y
        """)
  }

  @Test func aChainOfShortcutsFusesThroughout() throws {
    var fused = try graph(
      """
      input %x: float32[1x3x6x6]
      constant %w: float32[3x3x1x1]
      %a = Conv(%x, %w)
      %b = Add(%a, %x)
      %c = Conv(%b, %w)
      %d = Add(%b, %c)
      %e = Conv(%d, %w)
      %y = Add(%e, %d)
      output y = %y
      """)
    let source = fused
    try run([pass], on: &fused)
    #expect(fused.nodeCount == 3)
    try expectEquivalent(source, fused, tolerance: 1e-5)
  }

  @Test(arguments: [
    // Activated before the addition.
    "%c = Conv(%x, %w) {activation: relu}\n%y = Add(%c, %x)\noutput y = %y",
    // The convolution's result has another reader.
    "%c = Conv(%x, %w)\n%y = Add(%c, %x)\n%z = Mul(%c, %y)\noutput z = %z",
    // It is a graph output.
    "%c = Conv(%x, %w)\n%y = Add(%c, %x)\noutput y = %y\noutput c = %c",
    // Both operands are the same result.
    "%c = Conv(%x, %w)\n%y = Add(%c, %c)\noutput y = %y",
    // There is a residual already.
    "%c = Conv(%x, %w, _, %z)\n%y = Add(%c, %x)\noutput y = %y",
    // The shortcut broadcasts.
    "%c = Conv(%x, %w)\n%y = Add(%c, %s)\noutput y = %y",
    // The convolution broadcasts.
    "%c = Conv(%s, %w)\n%y = Add(%c, %x)\noutput y = %y",
  ])
  func whatCannotBeAResidualStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        input %z: float32[1x3x6x6]
        input %s: float32[1x3x1x1]
        constant %w: float32[3x3x1x1]
        \(nodes)
        """)
  }
}
