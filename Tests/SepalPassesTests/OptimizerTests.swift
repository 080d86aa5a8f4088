import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("optimizer")
struct OptimizerTests {
  private static let network = """
    input %x: float32[1x3x8x8]
    constant %w: float32[3x3x3x3]
    constant %g: float32[3]
    constant %v: float32[3] = positive
    constant %six: float32[] = 6
    %s = Conv(%x, %w)
    %p = Pad(%s) {begins: [0,0,1,1], ends: [0,0,1,1]}
    %c = Conv(%p, %w)
    %b = BatchNorm(%c, %g, %g, %g, %v)
    %r = Relu(%b)
    %l = Min(%r, %six)
    %d = Conv(%l, %w) {padBegins: [1,1], padEnds: [1,1]}
    %i = Identity(%d)
    %y = Add(%i, %s)
    output y = %y
    """

  @Test func aNetworkShrinksToItsConvolutions() throws {
    var optimized = try graph(Self.network)
    let source = optimized
    var options = Optimizer.Options()
    options.verifyEachRewrite = true
    let report = try Optimizer(options).run(&optimized)
    #expect(optimized.nodes.filter { $0.op is Conv }.count == 3)
    #expect(optimized.nodes.allSatisfy { $0.op is Conv || $0.op is Transpose }, "\(optimized)")
    #expect(report.rewrites == optimized.provenance.rewrites.count)
    #expect(report.passes.map(\.name) == Optimizer.passNames)
    #expect(!report.stoppedEarly)
    try expectEquivalent(source, optimized, tolerance: 1e-5)
  }

  @Test func stoppingAfterAnyNumberOfRewritesLeavesAnEquivalentGraph() throws {
    let source = try graph(Self.network)
    var whole = source
    let total = try Optimizer().run(&whole).rewrites
    var options = Optimizer.Options()
    options.verifyEachRewrite = true
    for count in 0...total {
      options.stopAfter = count
      var optimized = source
      let report = try Optimizer(options).run(&optimized)
      #expect(report.rewrites == count)
      #expect(report.stoppedEarly)
      #expect(
        optimized.provenance.rewrites.map(\.pass) == whole.provenance.rewrites.prefix(count).map(\.pass))
      try expectEquivalent(source, optimized, tolerance: 1e-5)
    }
  }

  @Test func aDisabledPassDoesNotRun() throws {
    var options = Optimizer.Options()
    options.disabledPasses = ["fuse-residual-add", "fuse-activation"]
    var optimized = try graph(Self.network)
    let report = try Optimizer(options).run(&optimized)
    #expect(!report.passes.contains { options.disabledPasses.contains($0.name) })
    #expect(optimized.nodes.contains { $0.op is Add })
  }

  @Test func anUnknownPassIsAnErrorThatListsTheKnownOnes() {
    var options = Optimizer.Options()
    options.disabledPasses = ["fold-nothing"]
    let error = #expect(throws: OptimizationError.self) { try Optimizer(options) }
    #expect(error?.code == .unknownPass)
    #expect(error?.pass == "fold-nothing")
    #expect(Optimizer.passNames.allSatisfy { error?.message.contains($0) ?? false })
  }

  @Test(arguments: [[[Forth.self], [Back.self]], [[Forth.self, Back.self]]] as [[[any Pass.Type]]])
  func passesThatUndoEachOtherAreAnError(stages: [[any Pass.Type]]) throws {
    let optimizer = try Optimizer(stages: stages)
    var graph = try graph("input %x: float32[2]\n%y = Sin(%x)\noutput y = %y")
    let error = #expect(throws: OptimizationError.self) { try optimizer.run(&graph) }
    #expect(error?.code == .noFixpoint)
  }

  @Test func aPassThatFeedsOnItselfIsAnError() throws {
    let optimizer = try Optimizer(stages: [[Endless.self]])
    var graph = try graph("input %x: float32[2]\n%y = Sin(%x)\noutput y = %y")
    let error = #expect(throws: OptimizationError.self) { try optimizer.run(&graph) }
    #expect(error?.code == .noFixpoint)
    #expect(error?.pass == Endless.name)
  }

  @Test(arguments: [WrongType.self, RemovesTooMuch.self] as [any Pass.Type])
  func anIllegalRewriteIsAnErrorThatNamesPassAndNode(pass: any Pass.Type) throws {
    let optimizer = try Optimizer(stages: [[pass]])
    var graph = try graph("input %x: float32[2]\n%y = Sin(%x)\noutput y = %y")
    let error = #expect(throws: OptimizationError.self) { try optimizer.run(&graph) }
    #expect(error?.code == .illegalRewrite)
    #expect(error?.pass == pass.name)
    #expect(error?.cause?.node == "y")
  }
}

private func replacing(_ node: Node, by op: any Operator) -> Rewrite {
  var rewrite = Rewrite(removing: [node.id], exactness: .exact)
  let result = rewrite.node(op, name: node.name, inputs: node.inputs.map { $0?.operand })
  rewrite.replace(node.output, with: result)
  return rewrite
}

private struct Forth: Pass {
  static let name = "forth"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    node.op is Sin ? replacing(node, by: Cos()) : nil
  }
}

private struct Back: Pass {
  static let name = "back"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    node.op is Cos ? replacing(node, by: Sin()) : nil
  }
}

private struct Endless: Pass {
  static let name = "endless"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { replacing(node, by: node.op) }
}

private struct WrongType: Pass {
  static let name = "wrong-type"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { replacing(node, by: Cast(to: .int64)) }
}

private struct RemovesTooMuch: Pass {
  static let name = "removes-too-much"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { Rewrite(removing: [node.id], exactness: .exact) }
}
