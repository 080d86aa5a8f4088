import SepalGraph
import SepalPasses
import SepalTensor
import SepalValidation
import Testing

/// Rewrites that are wrong are found, by name; ones that are right are not.
struct RewriteCheckerTests {
  /// Conv → BatchNorm → Relu → Clip → Conv + residual, and what passes look for around it.
  static func network() throws -> Graph {
    var graph = Graph(name: "net")
    var generator = InputGenerator(seed: 5)
    func weights(_ shape: Int...) -> Tensor { generator.tensor(TensorType(.float32, shape)) }
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 40, 40]))
    let w1 = graph.addConstant("w1", weights(16, 3, 3, 3))
    let first = try graph.add(
      Conv(strides: [2, 2], padBegins: [0, 0], padEnds: [1, 1]), name: "first", inputs: [x, w1],
      outputNames: ["first_out"])
    graph.addOrigins([Origin("first_out")], to: first[0])
    let statistics = ["gamma", "beta", "mean"].map { graph.addConstant($0, weights(16)) }
    let variance = graph.addConstant("variance", Tensor([16], floats: (0..<16).map { 0.5 + Float($0) }))
    let norm = try graph.add(BatchNorm(), name: "norm", inputs: [first[0]] + statistics + [variance])
    graph.addOrigins([Origin("norm_out")], to: norm[0])
    let clip = try graph.add(Clip(min: 0, max: 6), name: "clip", inputs: [norm[0]])
    graph.addOrigins([Origin("clip_out")], to: clip[0])
    let w2 = graph.addConstant("w2", weights(16, 16, 1, 1))
    let second = try graph.add(Conv(), name: "second", inputs: [clip[0], w2])
    graph.addOrigins([Origin("second_out")], to: second[0])
    let sum = try graph.add(Add(), name: "sum", inputs: [second[0], clip[0]])
    graph.addOrigins([Origin("sum_out")], to: sum[0])
    let relu = try graph.add(Relu(), name: "relu", inputs: [sum[0]])
    graph.addOrigins([Origin("relu_out")], to: relu[0])
    graph.addOutput("y", relu[0])
    return graph
  }

  static func check(_ graph: Graph, _ optimizer: Optimizer) throws -> RewriteChecker {
    var checker = RewriteChecker()
    var graph = graph
    try optimizer.run(&graph) { checker.check($0, pass: $1, in: $2) }
    #expect(checker.checked == graph.provenance.rewrites.count)
    return checker
  }

  @Test func thePipelineIsRight() throws {
    let checker = try Self.check(try Self.network(), try Optimizer())
    #expect(checker.checked > 5)
    #expect(checker.faults.isEmpty, "\(checker.faults)")
  }

  @Test(arguments: PlantedFault.all)
  func plantedFaultsAreFound(fault: PlantedFault) throws {
    let checker = try Self.check(try Self.network(), try Optimizer(stages: [[fault.pass]]))
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
      var graph = try Self.network()
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
