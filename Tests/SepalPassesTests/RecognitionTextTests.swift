import Testing

/// Each recognising pass once, as text before and after.
@Suite("recognising passes, as graph text")
struct RecognitionTextTests {
  @Test func clip() throws {
    try expect(
      "recognize-clip",
      rewrites: """
        input %x: float32[2x3]
        constant %six: float32[] = 6
        %r = Relu(%x)
        %y = Min(%six, %r)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        %y = Clip(%x) {min: 0.0, max: 6.0}
        output y = %y
        """, exactness: .exact)
  }

  @Test func hardSigmoid() throws {
    try expect(
      "recognize-hard-sigmoid",
      rewrites: """
        input %x: float32[2x3]
        constant %three: float32[1] = 3
        constant %six: float32[] = 6
        %a = Add(%three, %x)
        %c = Clip(%a) {min: 0.0, max: 6.0}
        %y = Div(%c, %six)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        %y = HardSigmoid(%x) {alpha: 0.16666666666666666}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func hardSwish() throws {
    try expect(
      "recognize-hard-swish",
      rewrites: """
        input %x: float32[2x3]
        constant %three: float32[1] = 3
        constant %sixth: float32[] = 0.16666667
        %a = Add(%x, %three)
        %c = Clip(%a) {min: 0.0, max: 6.0}
        %p = Mul(%c, %x)
        %y = Mul(%p, %sixth)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        %y = HardSwish(%x)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func silu() throws {
    try expect(
      "recognize-silu",
      rewrites: """
        input %x: float32[2x3]
        %s = Sigmoid(%x)
        %y = Mul(%s, %x)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        %y = Silu(%x)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func gelu() throws {
    try expect(
      "recognize-gelu",
      rewrites: """
        input %x: float32[2x3]
        constant %root: float32[] = 1.4142135
        constant %one: float32[] = 1
        constant %half: float32[] = 0.5
        %d = Div(%x, %root)
        %e = Erf(%d)
        %f = Add(%e, %one)
        %g = Mul(%x, %f)
        %y = Mul(%g, %half)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        %y = Gelu(%x)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func squeezeExcite() throws {
    try expect(
      "recognize-squeeze-excite",
      rewrites: """
        input %x: float32[1x4x5x5]
        constant %w1: float32[2x4x1x1]
        constant %b1: float32[2]
        constant %w2: float32[4x2x1x1]
        %p = GlobalAveragePool(%x)
        %r = Conv(%p, %w1, %b1) {activation: relu}
        %e = Conv(%r, %w2)
        %g = Sigmoid(%e)
        %y = Mul(%x, %g)
        output y = %y
        """,
      to: """
        input %x: float32[1x4x5x5]
        constant %y.w1: float32[2x4]
        constant %y.b1: float32[2]
        constant %y.w2: float32[4x2]
        %y = SqueezeExcite(%x, %y.w1, %y.b1, %y.w2)
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func split() throws {
    try expect(
      "recognize-split",
      rewrites: """
        input %x: float32[1x6x4]
        %b = Slice(%x) {axes: [1], starts: [2], ends: [6], steps: [1]}
        %a = Slice(%x) {axes: [1], starts: [0], ends: [2], steps: [1]}
        output a = %a
        output b = %b
        """,
      to: """
        input %x: float32[1x6x4]
        %a, %b = Split(%x) {axis: 1, sizes: [2,4]}
        output a = %a
        output b = %b
        """, exactness: .exact)
  }
}
