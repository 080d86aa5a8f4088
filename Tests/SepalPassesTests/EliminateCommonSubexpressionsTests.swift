import SepalGraph
import SepalTensor
import Testing

@Suite("eliminate-common-subexpressions")
struct EliminateCommonSubexpressionsTests {
  private let pass = "eliminate-common-subexpressions"

  @Test func equalNodesAndEqualConstantsMerge() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        constant %c: float32[4] = 2
        constant %d: float32[4] = 2
        %a = Mul(%x, %c)
        %b = Mul(%x, %d)
        %e = Tanh(%a)
        %f = Tanh(%b)
        %y = Add(%e, %f)
        output y = %y
        """,
      to: """
        input %x: float32[4]
        constant %c: float32[4]
        %a = Mul(%x, %c)
        %e = Tanh(%a)
        %y = Add(%e, %e)
        output y = %y
        """, exactness: .exact)
  }

  @Test func everyOutputOfANodeMerges() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        %a, %b = Split(%x) {sizes: [2,2]}
        %c, %d = Split(%x) {sizes: [2,2]}
        %y = Add(%a, %d)
        %z = Add(%c, %b)
        output y = %y
        output z = %z
        """,
      to: """
        input %x: float32[4]
        %a, %b = Split(%x) {sizes: [2,2]}
        %y = Add(%a, %b)
        output y = %y
        output z = %y
        """)
  }

  @Test(arguments: [
    // Another attribute, another operand, another operand order, another operator.
    "%a = Softmax(%x)\n%b = Softmax(%x) {axis: 0}", "%a = Tanh(%x)\n%b = Tanh(%z)",
    "%a = Sub(%x, %z)\n%b = Sub(%z, %x)",
    "%a = Tanh(%x)\n%b = Exp(%x)",
    // Constants that differ in value, type, shape, or the sign of zero.
    "%a = Mul(%x, %one)\n%b = Mul(%x, %two)", "%a = Mul(%x, %one)\n%b = Mul(%x, %oneOne)",
    "%a = Mul(%x, %zero)\n%b = Mul(%x, %minusZero)",
    "%a = PRelu(%x, %one)\n%b = PRelu(%x, %two)",
  ])
  func differentNodesStay(nodes: String) throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[4x4]
        input %z: float32[4x4]
        constant %one: float32[] = 1
        constant %oneOne: float32[1] = 1
        constant %two: float32[] = 2
        constant %zero: float32[] = 0
        constant %minusZero: float32[] = -0.0
        \(nodes)
        %y = Add(%a, %b)
        output y = %y
        """)
  }

  @Test(arguments: [0, 1, 2, 500, 1_499, 2_998, 2_999])
  func largeConstantsThatDifferInOneElementStay(position: Int) throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [3_000]))
    var numbers = [Float](repeating: 0.5, count: 3_000)
    let a = try graph.add(
      Mul(), name: "a", inputs: [x, graph.addConstant("c", Tensor([3_000], floats: numbers))])
    numbers[position] = 0.25
    let b = try graph.add(
      Mul(), name: "b", inputs: [x, graph.addConstant("d", Tensor([3_000], floats: numbers))])
    graph.addOutput("a", a[0])
    graph.addOutput("b", b[0])
    #expect(try run([pass], on: &graph).rewrites == 0)
  }

  @Test func chainsMergeFromTheFront() throws {
    var lines = ["input %x: float32[4]", "%a0 = Tanh(%x)", "%b0 = Tanh(%x)"]
    for index in 1..<50 {
      lines.append("%a\(index) = Tanh(%a\(index - 1))")
      lines.append("%b\(index) = Tanh(%b\(index - 1))")
    }
    lines += ["%y = Add(%a49, %b49)", "output y = %y"]
    var optimized = try graph(lines.joined(separator: "\n"))
    try run([pass], on: &optimized)
    #expect(optimized.nodeCount == 51)
  }
}
