import SepalGraph
import Testing

@Suite("canonicalize-arithmetic")
struct CanonicalizeArithmeticTests {
  private let pass = "canonicalize-arithmetic"

  @Test(arguments: [
    ("Add(%c, %x)", "Add(%x, %c)", Exactness.exact), ("Mul(%c, %x)", "Mul(%x, %c)", .exact),
    ("Min(%c, %x)", "Min(%x, %c)", .reassociated), ("Max(%c, %x)", "Max(%x, %c)", .reassociated),
    ("Sub(%x, %c)", "Add(%x, %c)", .exact), ("Div(%x, %c)", "Mul(%x, %c)", .reassociated),
    ("Div(%x, %p)", "Mul(%x, %p)", .exact),
  ])
  func aConstantIsAddedOrMultipliedAndComesSecond(before: String, after: String, exactness: Exactness) throws
  {
    let constant = before.contains("%p") ? "constant %p: float32[4]" : "constant %c: float32[4]"
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x4]
        constant %c: float32[4] = positive
        constant %p: float32[4] = [1,2,-0.5,1024]
        %y = \(before)
        output y = %y
        """,
      to: """
        input %x: float32[2x4]
        \(constant)
        %y = \(after)
        output y = %y
        """, exactness: exactness)
  }

  @Test(arguments: ["Add", "Mul"])
  func constantsMeet(op: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x4]
        constant %c: float32[]
        constant %d: float32[4]
        %a = \(op)(%x, %c)
        %y = \(op)(%a, %d) {activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[2x4]
        constant %d: float32[4]
        %y = \(op)(%x, %d) {activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: [
    // Already canonical; no constant; both constant.
    "%y = Add(%x, %c)\noutput y = %y", "%y = Sub(%x, %z)\noutput y = %y", "%y = Add(%c, %c)\noutput y = %y",
    "%y = Sub(%c, %x)\noutput y = %y", "%y = Div(%c, %x)\noutput y = %y",
    // Integers divide by truncation.
    "%y = Div(%i, %j)\noutput y = %y", "%y = Sub(%i, %j)\noutput y = %y",
    // A divisor without a normal reciprocal.
    "%y = Div(%x, %zero)\noutput y = %y", "%y = Div(%x, %huge)\noutput y = %y",
    "%y = Div(%x, %tiny)\noutput y = %y",
    // Constants that cannot meet: activated in between, another reader, another operator, too large, not finite.
    "%a = Add(%x, %c) {activation: relu}\n%y = Add(%a, %c)\noutput y = %y",
    "%a = Add(%x, %c)\n%b = Add(%a, %c)\n%y = Mul(%a, %b)\noutput y = %y",
    "%a = Add(%x, %c)\n%y = Add(%a, %c)\noutput y = %y\noutput a = %a",
    "%a = Add(%x, %c)\n%y = Mul(%a, %c)\noutput y = %y",
    "%a = Add(%x, %c)\n%y = Add(%a, %column)\noutput y = %y",
    "%a = Mul(%x, %huge)\n%y = Mul(%a, %huge)\noutput y = %y",
  ])
  func otherArithmeticStays(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[2x4]
        input %z: float32[2x4]
        input %i: int32[2]
        constant %c: float32[4]
        constant %column: float32[2x1]
        constant %j: int32[2] = 2
        constant %zero: float32[] = 0
        constant %huge: float32[] = 3e38
        constant %tiny: float32[] = 1e-39
        \(nodes)
        """)
  }
}

@Suite("canonicalize-gemm, convert-mat-mul-to-gemm")
struct CanonicalizeGemmTests {
  @Test func factorsGoIntoTheWeightsAndTheTranspositionBecomesANode() throws {
    try expect(
      "canonicalize-gemm",
      rewrites: """
        input %x: float32[3x2]
        constant %w: float32[4x3]
        constant %c: float32[4]
        %y = Gemm(%x, %w, %c) {transA: 1, transB: 1, alpha: 0.5, beta: 3.0, activation: relu}
        output y = %y
        """,
      to: """
        input %x: float32[3x2]
        constant %w: float32[4x3]
        constant %c: float32[4]
        %y.transposed = Transpose(%x) {permutation: [1,0]}
        %y = Gemm(%y.transposed, %w, %c) {transB: 1, activation: relu}
        output y = %y
        """, exactness: .reassociated)
  }

  @Test(arguments: ["Gemm(%x, %w) {beta: 2.0}", "Gemm(%x, %w, %c) {beta: 0.0}"])
  func anAddendThatDoesNotCountGoes(op: String) throws {
    try expect(
      "canonicalize-gemm",
      rewrites: """
        input %x: float32[2x3]
        input %c: float32[4]
        constant %w: float32[3x4]
        %y = \(op)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        input %c: float32[4]
        constant %w: float32[3x4]
        %y = Gemm(%x, %w)
        output y = %y
        """)
  }

  @Test(arguments: [
    "Gemm(%x, %w, %c)", "Gemm(%x, %w) {transB: 1}", "Gemm(%x, %f) {alpha: 2.0}",
    "Gemm(%x, %w, %f) {beta: 2.0}",
    "Gemm(%x, %huge) {alpha: 1e10}",
  ])
  func otherGemmsStay(op: String) throws {
    try expect(
      "canonicalize-gemm",
      leaves: """
        input %x: float32[4x4]
        input %f: float32[4x4]
        constant %w: float32[4x4]
        constant %c: float32[4]
        constant %huge: float32[4x4] = 1e30
        %y = \(op)
        output y = %y
        """)
  }

  @Test func aProductWithConstantWeightsIsADenseLayer() throws {
    try expect(
      "convert-mat-mul-to-gemm",
      rewrites: """
        input %x: float32[2x3]
        constant %w: float32[3x4]
        %y = MatMul(%x, %w)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        constant %w: float32[3x4]
        %y = Gemm(%x, %w)
        output y = %y
        """, exactness: .exact)
  }

  @Test(arguments: [
    "MatMul(%x, %f)", "MatMul(%b, %w)", "MatMul(%x, %v)", "MatMul(%x, %s)", "MatMul(%i, %j)",
    "MatMul(%w, %x)",
  ])
  func otherProductsStay(op: String) throws {
    try expect(
      "convert-mat-mul-to-gemm",
      leaves: """
        input %x: float32[4x4]
        input %f: float32[4x4]
        input %b: float32[2x4x4]
        input %i: int32[4x4]
        constant %j: int32[4x4]
        constant %w: float32[4x4]
        constant %v: float32[4]
        constant %s: float32[2x4x4]
        %y = \(op)
        output y = %y
        """)
  }
}

@Suite("convert-mat-mul-to-conv")
struct ConvertMatMulToConvTests {
  @Test(arguments: [
    ("2x5x3", "4x3x1", "strides: [1], padBegins: [0], padEnds: [0], dilations: [1], "),
    ("2x5x6x3", "4x3x1x1", ""),
  ])
  func aDenseLayerOverPositionsIsAPointwiseConvolution(x: String, kernel: String, window: String) throws {
    try expect(
      "convert-mat-mul-to-conv",
      rewrites: """
        input %x: float32[\(x)]
        constant %w: float32[3x4]
        %y = MatMul(%x, %w)
        output y = %y
        """,
      to: """
        input %x: float32[\(x)]
        constant %w: float32[\(kernel)]
        %y = Conv(%x, %w) {\(window)layout: channelsLast}
        output y = %y
        """, exactness: .exact)
  }

  @Test(arguments: [
    "MatMul(%x, %w)", "MatMul(%c, %w)", "MatMul(%b, %f)", "MatMul(%b, %v)", "MatMul(%b, %s)",
    "MatMul(%w, %b)", "MatMul(%i, %j)", "MatMul(%e, %w)",
  ])
  func otherProductsStay(op: String) throws {
    try expect(
      "convert-mat-mul-to-conv",
      leaves: """
        input %x: float32[4x4]
        input %f: float32[4x4]
        input %b: float32[2x4x4]
        input %c: float32[2x1x1x4x4]
        input %e: float32[2x0x4]
        input %i: int32[2x4x4]
        constant %j: int32[4x4]
        constant %w: float32[4x4]
        constant %v: float32[4]
        constant %s: float32[2x4x4]
        %y = \(op)
        output y = %y
        """)
  }

  @Test func weightsThatSomethingElseReadsAreNotCopied() throws {
    try expect(
      "convert-mat-mul-to-conv",
      leaves: """
        input %x: float32[2x4x4]
        constant %w: float32[4x4]
        %a = MatMul(%x, %w)
        %y = MatMul(%a, %w)
        output y = %y
        """)
  }
}

@Suite("canonicalize-global-pooling")
struct CanonicalizeGlobalPoolingTests {
  private let pass = "canonicalize-global-pooling"

  @Test(arguments: [
    ("ReduceMean(%x) {axes: [2,3]}", "GlobalAveragePool(%x)"),
    ("ReduceMean(%x) {axes: [2,3], keepDims: 0}", "GlobalAveragePool(%x) {keepDims: 0}"),
    ("ReduceMean(%x) {axes: [1,2]}", "GlobalAveragePool(%x) {layout: channelsLast}"),
    (
      "ReduceMean(%x) {axes: [1,2], keepDims: 0}", "GlobalAveragePool(%x) {layout: channelsLast, keepDims: 0}"
    ),
    ("ReduceMax(%x) {axes: [2,3]}", "GlobalMaxPool(%x)"),
    ("AveragePool(%x) {kernel: [5,6]}", "GlobalAveragePool(%x)"),
    (
      "AveragePool(%x) {kernel: [4,5], strides: [2,2], ceilMode: 1, layout: channelsLast}",
      "GlobalAveragePool(%x) {layout: channelsLast}"
    ),
    ("MaxPool(%x) {kernel: [5,6], strides: [5,6]}", "GlobalMaxPool(%x)"),
  ])
  func poolingOverTheWholeImageIsGlobal(before: String, after: String) throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x4x5x6]
        %y = \(before)
        output y = %y
        """,
      to: """
        input %x: float32[2x4x5x6]
        %y = \(after)
        output y = %y
        """, exactness: after.hasPrefix("GlobalMax") ? .exact : .reassociated)
  }

  @Test(arguments: [
    "ReduceMean(%x) {axes: [3]}", "ReduceMean(%x) {axes: [1,2,3]}", "ReduceMean(%x) {axes: [1,3]}",
    "ReduceSum(%x) {axes: [2,3]}", "ReduceMean(%i) {axes: [2,3]}", "ReduceMean(%t) {axes: [2]}",
    "AveragePool(%x) {kernel: [5,5]}", "AveragePool(%x) {kernel: [5,6], padBegins: [1,0], padEnds: [1,0]}",
    "MaxPool(%x) {kernel: [3,6], dilations: [2,1]}", "MaxPool(%i) {kernel: [5,6]}",
  ])
  func otherPoolingStays(op: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[2x4x5x6]
        input %i: int32[2x4x5x6]
        input %t: float32[2x4x5]
        %y = \(op)
        output y = %y
        """)
  }
}
