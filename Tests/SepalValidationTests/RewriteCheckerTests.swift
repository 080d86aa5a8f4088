import PlantedFaults
import SepalGraph
import SepalPasses
import SepalTensor
import SepalValidation
import Testing

/// Rewrites that are wrong are found, by name; ones that are right are not.
struct RewriteCheckerTests {
  static func check(_ graph: Graph, _ optimizer: Optimizer) throws -> RewriteChecker {
    var checker = RewriteChecker()
    var graph = graph
    try optimizer.run(&graph) { checker.check($0, pass: $1, in: $2) }
    #expect(checker.checked == graph.provenance.rewrites.count)
    return checker
  }

  @Test func thePipelineIsRight() throws {
    let checker = try Self.check(try PlantedFault.network(), try Optimizer())
    #expect(checker.checked > 5)
    #expect(checker.faults.isEmpty, "\(checker.faults)")
  }

  @Test(arguments: PlantedFault.all)
  func plantedFaultsAreFound(fault: PlantedFault) throws {
    let checker = try Self.check(try PlantedFault.network(), try Optimizer(stages: [[fault.pass]]))
    #expect(checker.faults.count == 1, "\(fault.pass.name)")
    let found = try #require(checker.faults.first)
    #expect(found.pass == fault.pass.name)
    #expect(found.before == fault.before)
    #expect(found.origins == fault.origins)
    #expect(!found.message.isEmpty)
  }

  /// It may be that y = relu(x) for what x is, and not for every x.
  @Test func whatComesBeforeARewriteCounts() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [4, 4]))
    let abs = try graph.add(Abs(), name: "abs", inputs: [x])
    let relu = try graph.add(Relu(), name: "relu", inputs: [abs[0]])
    graph.addOutput("y", relu[0])
    #expect(try Self.check(graph, try Optimizer(stages: [[DropRelu.self]])).faults.isEmpty)
    var negative = Graph()
    let z = negative.addInput("x", TensorType(.float32, [4, 4]))
    let minus = try negative.add(Neg(), name: "neg", inputs: [z])
    negative.addOutput("y", try negative.add(Relu(), name: "relu", inputs: [minus[0]])[0])
    #expect(try Self.check(negative, try Optimizer(stages: [[DropRelu.self]])).faults.count == 1)
  }

  @Test func anApproximationIsHeldToItsBound() throws {
    for (bound, isRight) in [(0.02, true), (0.001, false)] {
      var graph = try PlantedFault.network()
      var checker = RewriteChecker()
      let conv = try #require(graph.nodes.first { $0.name == "second" })
      let weights = try #require(graph.constant(conv.input(1))).floats()
      var rewrite = Rewrite(removing: [conv.id], exactness: .approximate(bound))
      let rough = Tensor(
        [16, 16, 1, 1], floats: weights.enumerated().map { $1 * ($0 % 2 == 0 ? 1.01 : 0.99) })
      let constant = rewrite.constant("rough", rough)
      rewrite.replace(
        conv.output, with: rewrite.node(conv.op, name: "rough", inputs: [conv.inputs[0]?.operand, constant]))
      checker.check(rewrite, pass: "round", in: graph)
      #expect(checker.faults.isEmpty == isRight)
      _ = try graph.apply(rewrite, pass: "round")
    }
  }
}
