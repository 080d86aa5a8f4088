import Testing

@Suite("eliminate-zero-bias")
struct EliminateZeroBiasTests {
  private let pass = "eliminate-zero-bias"

  private static let operands = """
    input %x: float32[1x3x6x6]
    input %m: float32[2x5]
    constant %w: float32[3x3x3x3]
    constant %n: float32[5x4]
    constant %v: float32[2x3]
    constant %u: float32[3x2]
    constant %two: float32[2] = 0.0
    constant %three: float32[3] = 0.0
    constant %four: float32[4] = 0.0
    """

  @Test(arguments: [
    ("Conv(%x, %w, %three)", "Conv(%x, %w)"), ("ConvTranspose(%x, %w, %three)", "ConvTranspose(%x, %w)"),
    ("Gemm(%m, %n, %four)", "Gemm(%m, %n)"),
    ("SqueezeExcite(%x, %v, %two, %u, %three)", "SqueezeExcite(%x, %v, _, %u)"),
  ])
  func zeroBiasesAreDropped(before: String, after: String) throws {
    var cleaned = try graph("\(Self.operands)\n%y = \(before)\noutput y = %y")
    let source = cleaned
    let report = try run([pass], on: &cleaned)
    #expect(report.rewrites == 1)
    #expect(text(cleaned).contains("%y = \(after)\n"))
    #expect(try run([pass], on: &cleaned).rewrites == 0)
    try expectEquivalent(source, cleaned, tolerance: 0)
  }

  @Test func aResidualStaysWhereItIs() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        input %r: float32[1x4x4x4]
        constant %w: float32[4x3x3x3]
        constant %b: float32[4] = 0.0
        %y = Conv(%x, %w, %b, %r) {activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        input %r: float32[1x4x4x4]
        constant %w: float32[4x3x3x3]
        %y = Conv(%x, %w, _, %r) {activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    "constant %b: float32[4]", "input %b: float32[4]", "constant %b: float32[4] = [0,0,0,1]",
  ])
  func otherBiasesStay(bias: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        \(bias)
        %y = Conv(%x, %w, %b)
        output y = %y
        """)
  }

  @Test func zerosThatAreNoBiasStay() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3] = 0.0
        %y = Conv(%x, %w)
        output y = %y
        """)
  }
}
