import SepalGraph
import Testing

@Suite("eliminate-dead-code")
struct EliminateDeadCodeTests {
  private let pass = "eliminate-dead-code"

  @Test func unreadNodesGoWithTheirConstants() throws {
    try expect(
      pass,
      rewrites: """
        input %x: float32[4]
        input %unused: float32[4]
        constant %c: float32[4]
        %a = Mul(%x, %c)
        %b = Tanh(%a)
        %d, %e = Split(%b) {sizes: [2,2]}
        %y = Exp(%x)
        output y = %y
        """,
      to: """
        input %x: float32[4]
        input %unused: float32[4]
        %y = Exp(%x)
        output y = %y
        """, exactness: .exact)
  }

  @Test func oneReadOutputKeepsANode() throws {
    try expect(
      pass,
      leaves: """
        input %x: float32[4]
        %d, %e = Split(%x) {sizes: [2,2]}
        output e = %e
        """)
  }

  @Test func constantsThatNobodyReadsGo() throws {
    var optimized = try graph(
      """
      input %x: float32[4]
      constant %c: float32[4]
      %y = Exp(%x)
      output y = %y
      """)
    #expect(optimized.values.count { $0.isConstant } == 1)
    try run([pass], on: &optimized)
    #expect(optimized.values.count { $0.isConstant } == 0)
  }
}
