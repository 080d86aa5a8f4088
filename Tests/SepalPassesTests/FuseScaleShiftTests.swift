import Testing

@Suite("fuse-scale-shift")
struct FuseScaleShiftTests {
  private let pass = "fuse-scale-shift"

  @Test(arguments: [
    ("[1x4x5x5]", "[4x1x1]", "[1x4x1x1]", ""), ("[1x5x5x4]", "[4]", "[]", " {layout: channelsLast}"),
    ("[1x4x4x3]", "[]", "[1]", " {layout: channelsLast}"),
  ])
  func aProductAndASumAreOne(x: String, scale: String, shift: String, layout: String) throws {
    let channels = x.hasSuffix("3]") ? 3 : 4
    let activation = layout.isEmpty ? " {activation: relu}" : " {layout: channelsLast, activation: relu}"
    try expect(
      pass,
      rewrites: """
        input %x: float32\(x)
        constant %s: float32\(scale)
        constant %t: float32\(shift)
        %a = Mul(%x, %s)
        %y = Add(%a, %t) {activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32\(x)
        constant %y.scale: float32[\(channels)]
        constant %y.shift: float32[\(channels)]
        %y = ScaleShift(%x, %y.scale, %y.shift)\(activation)
        output y = %y
        """, exactness: .reassociated)
  }

  /// Numbers fit any axis. In a network that is channels-last by now, the other one would bring transposes back.
  @Test func singleNumbersTakeTheLayoutAroundThem() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x8x9]
        constant %s: float32[] = 0.5
        constant %t: float32[] = -1
        %a = Mul(%x, %s)
        %b = Add(%a, %t)
        %y = Transpose(%b) {permutation: [0,2,3,1]}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x8x9]
        constant %b.scale: float32[3]
        constant %b.shift: float32[3]
        %b = ScaleShift(%x, %b.scale, %b.shift)
        %y = Transpose(%b) {permutation: [0,2,3,1]}
        output y = %y
        """)
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x8x9]
        constant %s: float32[] = 0.5
        constant %t: float32[] = -1
        %a = Mul(%x, %s)
        %b = Add(%a, %t)
        %y = GlobalAveragePool(%b) {layout: channelsLast}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x8x9]
        constant %b.scale: float32[9]
        constant %b.shift: float32[9]
        %b = ScaleShift(%x, %b.scale, %b.shift) {layout: channelsLast}
        %y = GlobalAveragePool(%b) {layout: channelsLast}
        output y = %y
        """)
  }

  @Test func aLongChainIsOne() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x4]
        constant %s: float32[4]
        constant %t: float32[4]
        constant %u: float32[1]
        %a = Add(%x, %t)
        %b = ScaleShift(%a, %s, %t)
        %c = Mul(%b, %u)
        %y = Add(%c, %t)
        output y = %y
        """,
      to: """
        input %x: float32[2x4]
        constant %y.scale: float32[4]
        constant %y.shift: float32[4]
        %y = ScaleShift(%x, %y.scale, %y.shift)
        output y = %y
        """)
  }

  @Test func singleNumbersDoNotGrowWithoutBound() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x70000]
        constant %s: float32[] = 0.5
        constant %t: float32[] = -1
        %a = Mul(%x, %s)
        %y = Add(%a, %t)
        output y = %y
        """)
  }

  @Test(arguments: [
    // Activated in between.
    "%a = Mul(%x, %s) {activation: relu}\n%y = Add(%a, %s)\noutput y = %y",
    // Another reader.
    "%a = Mul(%x, %s)\n%b = Add(%a, %s)\n%y = Mul(%a, %b)\noutput y = %y",
    // A graph output.
    "%a = Mul(%x, %s)\n%y = Add(%a, %s)\noutput y = %y\noutput a = %a",
    // Different axes.
    "%a = Mul(%x, %s)\n%y = Add(%a, %r)\noutput y = %y",
    // Not constant.
    "%a = Mul(%x, %s)\n%y = Add(%a, %z)\noutput y = %y",
    // Not finite.
    "%a = Mul(%x, %h)\n%y = Mul(%a, %h)\noutput y = %y",
    // Varies along the batch.
    "%a = Mul(%x, %n)\n%y = Add(%a, %n)\noutput y = %y",
  ])
  func whatIsNotOneScaleAndShiftStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[2x4x5x6]
        input %z: float32[4x1x1]
        constant %s: float32[4x1x1]
        constant %r: float32[6]
        constant %n: float32[2x1x1x1]
        constant %h: float32[] = 1e30
        \(nodes)
        """)
  }
}
