import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("fold-constants")
struct FoldConstantsTests {
  private let pass = "fold-constants"

  @Test func nodesOverConstantsAreEvaluated() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[2x3]
        constant %w: float32[3x2]
        constant %s: float32[] = 2
        %t = Transpose(%w) {permutation: [1,0]}
        %u = Mul(%t, %s)
        %y = Add(%x, %u)
        output y = %y
        """,
      to: """
        input %x: float32[2x3]
        constant %u: float32[2x3]
        %y = Add(%x, %u)
        output y = %y
        """, exactness: .exact)
  }

  @Test func unreadOutputsLeaveNoConstantBehind() throws {
    var folded = try graph(
      """
      input %x: float32[2]
      constant %c: float32[4]
      %a, %b = Split(%c) {sizes: [2,2]}
      %y = Add(%x, %a)
      output y = %y
      """)
    try run([pass], on: &folded)
    #expect(folded.values.filter(\.isConstant).map(\.name) == ["a"])
  }

  @Test(arguments: ["float16", "bfloat16", "float64", "int32", "uint8"])
  func elementTypesAreKept(element: String) throws {
    var folded = try graph(
      """
      input %x: \(element)[4]
      constant %a: \(element)[4]
      constant %b: \(element)[4]
      %c = Add(%a, %b)
      %y = Mul(%x, %c)
      output y = %y
      """)
    try run([pass], on: &folded)
    let constant = try #require(folded.values.first(where: \.isConstant)?.constant)
    #expect(folded.nodeCount == 1)
    #expect(constant.element.name == element)
  }

  @Test func resultsGrowOnlyWhileTheyAreSmall() throws {
    // 64 KiB are 16,384 floats.
    for (count, isFolded) in [(16_384, true), (16_385, false)] {
      var folded = try graph(
        """
        input %x: float32[\(count)]
        constant %c: float32[]
        %e = Expand(%c) {shape: [\(count)]}
        %y = Add(%x, %e)
        output y = %y
        """)
      try run([pass], on: &folded)
      #expect(folded.nodeCount == (isFolded ? 1 : 2), "\(count) elements")
    }
  }

  @Test func manySmallResultsDoNotAddUp() throws {
    // 400 results of 64 KiB would be 25 MiB.
    var lines = ["input %x: float32[16384]"]
    for index in 0..<400 {
      lines.append("constant %c\(index): float32[]")
      lines.append("%e\(index) = Expand(%c\(index)) {shape: [16384]}")
      lines.append("%y\(index) = Add(%x, %e\(index))")
      lines.append("output y\(index) = %y\(index)")
    }
    var folded = try graph(lines.joined(separator: "\n"))
    try Optimizer(only: [pass]).run(&folded)
    let bytes = folded.values.reduce(0) { $0 + ($1.constant?.byteCount ?? 0) }
    #expect(bytes <= 17 << 20)
    #expect(folded.nodeCount < 600)
  }

  @Test(arguments: [
    // An operand is not constant.
    "%a = Add(%x, %c)\n%y = Tanh(%a)\noutput y = %y",
    // The result is a graph output.
    "%y = Tanh(%c)\n%z = Tanh(%x)\noutput y = %y\noutput z = %z",
    // There is no result.
    "%a = Div(%i, %j)\n%y = Add(%k, %a)\noutput y = %y",
    // Too much work.
    "%a = MatMul(%m, %m)\n%y = Add(%n, %a)\noutput y = %y",
  ])
  func otherNodesStay(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[4]
        input %k: int64[2]
        input %n: float32[512x512]
        constant %c: float32[4]
        constant %m: float32[512x512] = 0.5
        constant %i: int64[2] = 1
        constant %j: int64[2] = 0
        \(nodes)
        """)
  }
}
