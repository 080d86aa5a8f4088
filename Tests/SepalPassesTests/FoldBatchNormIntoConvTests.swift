import SepalGraph
import SepalTensor
import Testing

private let parameters = """
  constant %g: float32[4]
  constant %b: float32[4]
  constant %m: float32[4]
  constant %v: float32[4] = positive
  """

@Suite("fold-batch-norm-into-conv, …-into-conv-transpose, …-into-gemm")
struct FoldBatchNormIntoConvTests {
  private let pass = "fold-batch-norm-into-conv"

  @Test func statisticsGoIntoWeightsAndBias() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        \(parameters)
        %c = Conv(%x, %w) {strides: [2,2], padEnds: [1,1]}
        %y = BatchNorm(%c, %g, %b, %m, %v) {epsilon: 0.001, activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[1x3x6x6]
        constant %w: float32[4x3x3x3]
        constant %c.bias: float32[4]
        %y = Conv(%x, %w, %c.bias) {strides: [2,2], padEnds: [1,1], activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    ("[1x4x6x6]", "[4x1x3x3]", "groups: 4"), ("[1x4x6x6]", "[4x2x3x3]", "groups: 2"),
    ("[1x6x6x3]", "[4x3x3x3]", "layout: channelsLast"),
    ("[1x6x6x4]", "[4x1x3x3]", "groups: 4, layout: channelsLast"),
  ])
  func groupedAndDepthwiseConvolutionsInBothLayouts(x: String, w: String, attributes: String) throws {
    let layout = attributes.contains("Last") ? " {layout: channelsLast}" : ""
    try expect(
      pass,
      rewrites: """
        input %x: float32\(x)
        constant %w: float32\(w)
        constant %c: float32[4]
        \(parameters)
        %r = Conv(%x, %w, %c) {\(attributes)}
        %y = BatchNorm(%r, %g, %b, %m, %v)\(layout)
        output y = %y
        """,
      to: """
        input %x: float32\(x)
        constant %w: float32\(w)
        constant %c: float32[4]
        %y = Conv(%x, %w, %c) {\(attributes)}
        output y = %y
        """)
  }

  @Test(arguments: [("[4x2x3x3]", 2, ""), ("[4x4x3x3]", 1, "")])
  func transposedConvolutions(w: String, groups: Int, attributes: String) throws {
    let group = groups > 1 ? " {groups: \(groups)}" : ""
    try expect(
      "fold-batch-norm-into-conv-transpose",
      rewrites: """
        input %x: float32[1x4x4x4]
        constant %w: float32\(w)
        \(parameters)
        %r = ConvTranspose(%x, %w)\(group)
        %y = BatchNorm(%r, %g, %b, %m, %v)
        output y = %y
        """,
      to: """
        input %x: float32[1x4x4x4]
        constant %w: float32\(w)
        constant %r.bias: float32[4]
        %y = ConvTranspose(%x, %w, %r.bias)\(group)
        output y = %y
        """)
  }

  @Test(arguments: [("[3x4]", "", "[4]"), ("[4x3]", " {transB: 1}", "[1x4]"), ("[3x4]", "", "[]")])
  func denseLayers(w: String, attributes: String, bias: String) throws {
    try expect(
      "fold-batch-norm-into-gemm",
      rewrites: """
        input %x: float32[2x3]
        constant %w: float32\(w)
        constant %c: float32\(bias)
        \(parameters)
        %r = Gemm(%x, %w, %c)\(attributes)
        %y = BatchNorm(%r, %g, %b, %m, %v)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        constant %w: float32\(w)
        constant %c: float32[4]
        %y = Gemm(%x, %w, %c)\(attributes)
        output y = %y
        """)
  }

  @Test func sharedWeightsAndStatisticsAreCopiedNotChanged() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x4x8x8]
        constant %w: float32[4x4x3x3]
        \(parameters)
        %c = Conv(%x, %w)
        %d = BatchNorm(%c, %g, %b, %m, %v)
        %e = Conv(%d, %w)
        %y = BatchNorm(%e, %g, %b, %m, %v)
        %z = Conv(%y, %w)
        output z = %z
        """,
      to: """
        input %x: float32[1x4x8x8]
        constant %w.c: float32[4x4x3x3]
        constant %c.bias: float32[4]
        constant %w.e: float32[4x4x3x3]
        constant %e.bias: float32[4]
        constant %w: float32[4x4x3x3]
        %d = Conv(%x, %w.c, %c.bias)
        %y = Conv(%d, %w.e, %e.bias)
        %z = Conv(%y, %w)
        output z = %z
        """)
  }

  @Test(arguments: [
    // Another reader of the convolution.
    "%c = Conv(%x, %w)\n%n = BatchNorm(%c, %g, %b, %m, %v)\n%y = Add(%c, %n)\noutput y = %y",
    // The convolution is a graph output.
    "%c = Conv(%x, %w)\n%y = BatchNorm(%c, %g, %b, %m, %v)\noutput y = %y\noutput c = %c",
    // Activated before.
    "%c = Conv(%x, %w) {activation: relu}\n%y = BatchNorm(%c, %g, %b, %m, %v)\noutput y = %y",
    // A residual is added before.
    "%c = Conv(%x, %w, _, %x)\n%y = BatchNorm(%c, %g, %b, %m, %v)\noutput y = %y",
    // Weights, bias or a statistic are not constant.
    "%c = Conv(%x, %f)\n%y = BatchNorm(%c, %g, %b, %m, %v)\noutput y = %y",
    "%c = Conv(%x, %w, %p)\n%y = BatchNorm(%c, %g, %b, %m, %v)\noutput y = %y",
    "%c = Conv(%x, %w)\n%y = BatchNorm(%c, %p, %b, %m, %v)\noutput y = %y",
    // Another channel axis.
    "%c = Conv(%x, %w)\n%y = BatchNorm(%c, %g, %b, %m, %v) {layout: channelsLast}\noutput y = %y",
    // σ² + ε is not positive.
    "%c = Conv(%x, %w)\n%y = BatchNorm(%c, %g, %b, %m, %zero) {epsilon: 0.0}\noutput y = %y",
    // The folded weights overflow, or drop below the normal range.
    "%c = Conv(%x, %huge)\n%y = BatchNorm(%c, %huge4, %b, %m, %v)\noutput y = %y",
    "%c = Conv(%x, %tiny)\n%y = BatchNorm(%c, %tiny4, %zero, %zero, %v)\noutput y = %y",
    "%c = Conv(%x, %w)\n%y = BatchNorm(%c, %nan, %b, %m, %v)\noutput y = %y",
  ])
  func whatCannotBeFoldedStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[1x4x4x4]
        input %f: float32[4x4x1x1]
        input %p: float32[4]
        constant %w: float32[4x4x1x1]
        constant %huge: float32[4x4x1x1] = 1e30
        constant %tiny: float32[4x4x1x1] = 1e-30
        constant %huge4: float32[4] = 1e30
        constant %tiny4: float32[4] = 1e-30
        constant %zero: float32[4] = 0
        constant %nan: float32[4] = nan
        \(parameters)
        \(nodes)
        """)
  }

  @Test func aDeadChannelDoesNotKeepTheOthersFromFolding() throws {
    // Long training with weight decay leaves such channels: only β comes out of them.
    try expect(
      pass,
      rewrites: """
        input %x: float32[1x1x4x4]
        constant %w: float32[2x1x1x1] = [0.5,1e-37]
        constant %g: float32[2] = [1.0,1e-3]
        constant %b: float32[2] = [0.1,0.2]
        constant %m: float32[2] = 0
        constant %v: float32[2] = 1
        %c = Conv(%x, %w)
        %y = BatchNorm(%c, %g, %b, %m, %v)
        output y = %y
        """,
      to: """
        input %x: float32[1x1x4x4]
        constant %w: float32[2x1x1x1]
        constant %c.bias: float32[2]
        %y = Conv(%x, %w, %c.bias)
        output y = %y
        """)
  }

  @Test func weightsAreRoundedOnce() throws {
    var folded = try graph(
      """
      input %x: float32[1x1x1x1]
      constant %w: float32[1x1x1x1] = 0.1
      constant %g: float32[1] = 0.3
      constant %b: float32[1] = 0.7
      constant %m: float32[1] = 0.11
      constant %v: float32[1] = 0.37
      %c = Conv(%x, %w)
      %y = BatchNorm(%c, %g, %b, %m, %v) {epsilon: 0.001}
      output y = %y
      """)
    try run([pass], on: &folded)
    let conv = try #require(folded.producer(of: folded.outputs[0].value))
    let scale = Double(Float(0.3)) / (Double(Float(0.37)) + 0.001).squareRoot()
    let weight = try #require(folded.constant(conv.input(1)))
    let bias = try #require(folded.constant(conv.input(2)))
    #expect(weight.floats() == [Float(Double(Float(0.1)) * scale)])
    #expect(bias.floats() == [Float(Double(Float(0.7)) - Double(Float(0.11)) * scale)])
  }
}
