import Testing

struct FuseActivationTests {
  private let pass = "fuse-activation"

  @Test func `an activation becomes the last step of the convolution before it`() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %c = Conv(%x, %w)
        %y = HardSwish(%c)
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        %y = Conv(%x, %w) {activation: hardSwish}
        output y = %y
        """, exactness: .exact)
  }
}
