import Testing

@Suite("fold-pad-into-conv, fold-pad-into-pool")
struct FoldPadTests {
  @Test(arguments: [
    ("[1x3x6x6]", "[0,0,0,1]", "[0,0,1,1]", ""),
    ("[1x6x6x3]", "[0,0,1,0]", "[0,1,1,0]", ", layout: channelsLast"),
  ])
  func aConvolutionPadsByItself(x: String, begins: String, ends: String, layout: String) throws {
    try expect(
      "fold-pad-into-conv",
      rewrites: """
        input %x: float32\(x)
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %p = Pad(%x) {begins: \(begins), ends: \(ends)}
        %y = Conv(%p, %w, %b) {strides: [2,2], padBegins: [1,0]\(layout), activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32\(x)
        constant %w: float32[4x3x3x3]
        constant %b: float32[4]
        %y = Conv(%x, %w, %b) {strides: [2,2], padBegins: [1,1], padEnds: [1,1]\(layout), activation: relu}
        output y = %y
        """, exactness: .exact)
  }

  @Test func otherReadersKeepThePaddedValue() throws {
    try expect(
      "fold-pad-into-conv",
      rewrites: """
        input %x: float32[1x1x6x6]
        constant %w: float32[1x1x3x3]
        %p = Pad(%x) {begins: [0,0,1,1], ends: [0,0,1,1]}
        %c = Conv(%p, %w)
        %y = Conv(%p, %w) {dilations: [2,2]}
        output c = %c
        output y = %y
        output p = %p
        """,
      to: """
        input %x: float32[1x1x6x6]
        constant %w: float32[1x1x3x3]
        %p = Pad(%x) {begins: [0,0,1,1], ends: [0,0,1,1]}
        %c = Conv(%x, %w) {padBegins: [1,1], padEnds: [1,1]}
        %y = Conv(%x, %w) {padBegins: [1,1], padEnds: [1,1], dilations: [2,2]}
        output c = %c
        output y = %y
        output p = %p
        """)
  }

  @Test(arguments: [
    "begins: [0,0,1,1], ends: [0,0,1,1], value: 1.0", "begins: [0,0,1,1], ends: [0,0,1,1], mode: reflect",
    "begins: [0,1,0,0], ends: [0,0,1,1]", "begins: [1,0,0,0], ends: [0,0,1,1]",
    "begins: [0,0,-1,1], ends: [0,0,1,1]",
  ])
  func paddingThatAConvolutionDoesNotDoStays(pad: String) throws {
    let channels = pad.contains("[0,1,0,0]") ? 4 : 3
    try expect(
      "fold-pad-into-conv",
      leaves: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x\(channels)x3x3]
        %p = Pad(%x) {\(pad)}
        %y = Conv(%p, %w) {padBegins: [1,1]}
        output y = %y
        """)
  }

  @Test(arguments: [
    ("Relu", "0.0"), ("Relu", "-1.0"), ("Tanh", "-1.0"), ("Identity", "-inf"),
    ("Identity", "-3.4028234663852886e+38"),
  ])
  func aMaxPoolPadsByItselfWithNothingLarger(producer: String, value: String) throws {
    try expect(
      "fold-pad-into-pool",
      rewrites: """
        input %x: float32[1x3x6x6]
        %r = \(producer)(%x)
        %p = Pad(%r) {begins: [0,0,1,1], ends: [0,0,0,1], value: \(value)}
        %y = MaxPool(%p) {kernel: [3,3], strides: [2,2], padEnds: [1,0]}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        %r = \(producer)(%x)
        %y = MaxPool(%r) {kernel: [3,3], strides: [2,2], padBegins: [1,1], padEnds: [1,1]}
        output y = %y
        """, exactness: value == "-inf" ? .exact : .reassociated)
  }

  @Test(arguments: [
    // x may be less than the padding.
    ("Identity", "[0,0,1,1]", "[0,0,0,0]", "0.0", "kernel: [3,3]"),
    ("Tanh", "[0,0,1,1]", "[0,0,0,0]", "-0.5", "kernel: [3,3]"),
    // Some windows hold nothing but padding: before x, after it, on both sides.
    ("Relu", "[0,0,3,1]", "[0,0,0,0]", "0.0", "kernel: [3,3]"),
    ("Relu", "[0,0,0,0]", "[0,0,0,3]", "0.0", "kernel: [3,3]"),
    ("Relu", "[0,0,11,0]", "[0,0,1,0]", "0.0", "kernel: [3,3], dilations: [10,1]"),
    // Not spatial, cropping.
    ("Relu", "[0,1,0,0]", "[0,0,0,0]", "0.0", "kernel: [3,3]"),
    ("Relu", "[0,0,-1,0]", "[0,0,0,0]", "0.0", "kernel: [3,3]"),
  ])
  func paddingThatAMaxPoolDoesNotDoStays(
    producer: String, begins: String, ends: String, value: String, pool: String
  ) throws {
    try expect(
      "fold-pad-into-pool",
      leaves: """
        input %x: float32[1x3x9x9]
        %r = \(producer)(%x)
        %p = Pad(%r) {begins: \(begins), ends: \(ends), value: \(value)}
        %y = MaxPool(%p) {\(pool)}
        output y = %y
        """)
  }

  @Test func theLastWindowOfACeilModePoolDecides() throws {
    // Padded beforehand, 6 + 1 elements hold three windows; as the pool's own padding, the third would start beyond x.
    try expect(
      "fold-pad-into-pool",
      leaves: """
        input %x: float32[1x1x6x6]
        %r = Relu(%x)
        %p = Pad(%r) {begins: [0,0,0,0], ends: [0,0,1,1]}
        %y = MaxPool(%p) {kernel: [2,2], strides: [3,3], ceilMode: 1}
        output y = %y
        """)
  }

  @Test(arguments: ["", ", countIncludePad: 1"])
  func anAveragePoolCountsThePadding(flag: String) throws {
    try expect(
      "fold-pad-into-pool",
      rewrites: """
        input %x: float32[1x3x6x6]
        %p = Pad(%x) {begins: [0,0,1,1], ends: [0,0,0,1]}
        %y = AveragePool(%p) {kernel: [3,3], strides: [2,2]\(flag)}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        %y = AveragePool(%x) {kernel: [3,3], strides: [2,2], padBegins: [1,1], padEnds: [0,1], countIncludePad: 1}
        output y = %y
        """, exactness: .exact)
  }

  @Test(arguments: [
    ("value: 1.0", "kernel: [3,3]"), ("value: 0.0", "kernel: [3,3], padBegins: [1,1]"),
    ("value: 0.0", "kernel: [3,3], ceilMode: 1, countIncludePad: 1"), ("mode: edge", "kernel: [3,3]"),
  ])
  func paddingThatAnAveragePoolDoesNotDoStays(pad: String, pool: String) throws {
    try expect(
      "fold-pad-into-pool",
      leaves: """
        input %x: float32[1x3x6x6]
        %p = Pad(%x) {begins: [0,0,1,1], ends: [0,0,1,1], \(pad)}
        %y = AveragePool(%p) {\(pool)}
        output y = %y
        """)
  }
}
