import Testing

/// Each layout pass once, as text before and after.
@Suite("layout passes, as graph text")
struct LayoutTextTests {
  @Test func channelsLast() throws {
    try expect(
      "channels-last",
      rewrites: """
        input %x: float32[1x3x8x6]
        constant %w: float32[4x3x3x3]
        %a = Conv(%x, %w) {strides: [2,1], activation: relu}
        %y = MaxPool(%a) {kernel: [2,2]}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x8x6]
        constant %w: float32[4x3x3x3]
        %x.channelsLast = Transpose(%x) {permutation: [0,2,3,1]}
        %a.channelsLast = Conv(%x.channelsLast, %w) {strides: [2,1], layout: channelsLast, activation: relu}
        %a = Transpose(%a.channelsLast) {permutation: [0,3,1,2]}
        %a.channelsLast = Transpose(%a) {permutation: [0,2,3,1]}
        %y.channelsLast = MaxPool(%a.channelsLast) {kernel: [2,2], layout: channelsLast}
        %y = Transpose(%y.channelsLast) {permutation: [0,3,1,2]}
        output y = %y
        """, exactness: .exact)
  }

  @Test func mergeTransposes() throws {
    try expect(
      "merge-transposes",
      rewrites: """
        input %x: float32[2x3x4x5]
        %a = Transpose(%x) {permutation: [0,2,3,1]}
        %b = Transpose(%a) {permutation: [0,3,1,2]}
        %y = Relu(%b)
        %z = Transpose(%a) {permutation: [3,0,1,2]}
        output y = %y
        output z = %z
        """,
      to: """
        input %x: float32[2x3x4x5]
        %y = Relu(%x)
        %z = Transpose(%x) {permutation: [1,0,2,3]}
        output y = %y
        output z = %z
        """, exactness: .exact)
  }

  @Test func replaceTransposeByReshape() throws {
    try expect(
      "replace-transpose-by-reshape",
      rewrites: """
        input %x: float32[2x1x1x5]
        %y = Transpose(%x) {permutation: [0,3,1,2]}
        output y = %y
        """,
      to: """
        input %x: float32[2x1x1x5]
        %y = Reshape(%x) {shape: [2,5,1,1]}
        output y = %y
        """, exactness: .exact)
  }

  @Test func sinkTransposes() throws {
    try expect(
      "sink-transposes",
      rewrites: """
        input %a: float32[1x4x5x3]
        input %b: float32[1x4x5x3]
        constant %bias: float32[3x1x1]
        %s = Transpose(%a) {permutation: [0,3,1,2]}
        %t = Transpose(%b) {permutation: [0,3,1,2]}
        %u = Add(%s, %bias)
        %v = Concat(%u, %t) {axis: 1}
        %y = Transpose(%v) {permutation: [0,2,3,1]}
        output y = %y
        output v = %v
        """,
      to: """
        input %a: float32[1x4x5x3]
        input %b: float32[1x4x5x3]
        constant %bias: float32[1x1x3]
        %u.reordered = Add(%a, %bias)
        %y = Concat(%u.reordered, %b) {axis: 3}
        %v = Transpose(%y) {permutation: [0,3,1,2]}
        output y = %y
        output v = %v
        """, exactness: .exact)
  }

  @Test func liftTransposes() throws {
    try expect(
      "lift-transposes",
      rewrites: """
        input %x: float32[1x3x4x5]
        %r = Relu(%x)
        %y = Transpose(%r) {permutation: [0,2,3,1]}
        %z = Transpose(%x) {permutation: [0,2,3,1]}
        output y = %y
        output z = %z
        """,
      to: """
        input %x: float32[1x3x4x5]
        %z = Transpose(%x) {permutation: [0,2,3,1]}
        %y = Relu(%z)
        output y = %y
        output z = %z
        """, exactness: .exact)
  }

  @Test func sinkReshapes() throws {
    try expect(
      "sink-reshapes",
      rewrites: """
        input %x: float32[2x5x1x1]
        constant %three: float32[] = 3
        %r = Reshape(%x) {shape: [2,5]}
        %a = Add(%r, %three)
        %y = Relu(%a)
        output y = %y
        """,
      to: """
        input %x: float32[2x5x1x1]
        constant %three: float32[]
        %a.unshaped = Add(%x, %three)
        %y.unshaped = Relu(%a.unshaped)
        %y = Reshape(%y.unshaped) {shape: [2,5]}
        output y = %y
        """, exactness: .exact)
  }

  @Test func mergeReshapes() throws {
    try expect(
      "merge-reshapes",
      rewrites: """
        input %x: float32[2x5x1x1]
        %a = Reshape(%x) {shape: [2,5]}
        %b = Reshape(%a) {shape: [2,1,1,5]}
        %c = Reshape(%b) {shape: [2,5,1,1]}
        %y = Relu(%c)
        output y = %y
        output b = %b
        """,
      to: """
        input %x: float32[2x5x1x1]
        %y = Relu(%x)
        %b = Reshape(%x) {shape: [2,1,1,5]}
        output y = %y
        output b = %b
        """, exactness: .exact)
  }

  @Test func foldReshapeIntoGlobalPool() throws {
    try expect(
      "fold-reshape-into-global-pool",
      rewrites: """
        input %x: float32[2x4x4x5]
        %p = GlobalAveragePool(%x) {layout: channelsLast}
        %y = Reshape(%p) {shape: [2,5]}
        output y = %y
        """,
      to: """
        input %x: float32[2x4x4x5]
        %y = GlobalAveragePool(%x) {layout: channelsLast, keepDims: 0}
        output y = %y
        """, exactness: .exact)
  }

  @Test func foldTransposeIntoGemm() throws {
    try expect(
      "fold-transpose-into-gemm",
      rewrites: """
        input %x: float32[1x2x3x4]
        constant %w: float32[5x24]
        %t = Transpose(%x) {permutation: [0,3,1,2]}
        %f = Reshape(%t) {shape: [1,24]}
        %y = Gemm(%f, %w) {transB: 1}
        output y = %y
        """,
      to: """
        input %x: float32[1x2x3x4]
        constant %w: float32[5x24]
        %f = Reshape(%x) {shape: [1,24]}
        %y = Gemm(%f, %w) {transB: 1}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test func foldChannelShuffleIntoConv() throws {
    try expect(
      "fold-channel-shuffle-into-conv",
      rewrites: """
        input %x: float32[1x2x3x6]
        constant %w: float32[4x6x1x1]
        %a = Reshape(%x) {shape: [1,2,3,2,3]}
        %b = Transpose(%a) {permutation: [0,1,2,4,3]}
        %c = Reshape(%b) {shape: [1,2,3,6]}
        %y = Conv(%c, %w) {layout: channelsLast}
        output y = %y
        """,
      to: """
        input %x: float32[1x2x3x6]
        constant %w: float32[4x6x1x1]
        %y = Conv(%x, %w) {layout: channelsLast}
        output y = %y
        """, exactness: .reassociated)
  }
}
