import SepalGraph
import SepalTensor
import Testing

@Suite struct RewriteTests {
  /// y = Abs(Relu(x) · w), with origins on every value.
  private struct Fixture {
    var graph = Graph()
    let x, w, relu, mul, y: ValueID

    init() throws {
      x = graph.addInput("x", TensorType(.float32, [2, 3]))
      w = graph.addConstant("w", Tensor([3], floats: [1, 2, 3]))
      relu = try graph.add(Relu(), name: "relu", inputs: [x])[0]
      mul = try graph.add(Mul(), name: "mul", inputs: [relu, w])[0]
      y = try graph.add(Abs(), name: "abs", inputs: [mul])[0]
      for value in [relu, mul, y] {
        graph.addOrigins([Origin("source/\(graph.value(value).name)")], to: value)
      }
      graph.addOutput("y", y)
    }

    func node(_ value: ValueID) throws -> NodeID { try #require(graph.producer(of: value)).id }
  }

  @Test func replacesNodesKeepsNamesAndOriginsAndLogsIt() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [try f.node(f.relu), try f.node(f.mul)], exactness: .reassociated)
    let scale = rewrite.constant("scale", Tensor([3], floats: [3, 2, 1]))
    let clipped = rewrite.node(Clip(min: 0, max: 1), name: "clip", inputs: [f.x.operand])
    let new = rewrite.node(Mul(activation: .relu), name: "fused", inputs: [clipped, scale])
    rewrite.replace(f.mul, with: new)
    let applied = try f.graph.apply(rewrite, pass: "test-pass")
    try f.graph.verify()

    #expect(
      f.graph.description == """
        input %x: float32[2x3]
        constant %scale: float32[3]
        %clip = Clip(%x) {min: 0.0, max: 1.0} : float32[2x3]
        %mul = Mul(%clip, %scale) {activation: relu} : float32[2x3]
        %abs = Abs(%mul) : float32[2x3]
        output y = %abs
        """)
    #expect(!f.graph.contains(f.w))
    #expect(applied.added.map { f.graph.node($0).name } == ["clip", "fused"])
    #expect(
      applied.record
        == RewriteRecord(
          pass: "test-pass", before: ["relu (Relu)", "mul (Mul)"], after: ["clip (Clip)", "fused (Mul)"],
          origins: ["source/mul"], exactness: .reassociated))
    let fused = try #require(f.graph.nodes.first { $0.name == "fused" })
    #expect(f.graph.value(fused.output).origins == [Origin("source/mul")])
  }

  @Test func replacingByAnExistingValueKeepsItsName() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [try f.node(f.y)], exactness: .exact)
    rewrite.replace(f.y, with: f.mul.operand)
    _ = try f.graph.apply(rewrite, pass: "test-pass")
    try f.graph.verify()
    #expect(f.graph.value(f.mul).name == "mul")
    #expect(f.graph.value(f.mul).origins.map(\.name) == ["source/mul", "source/abs"])
    #expect(f.graph.outputs.map(\.value) == [f.mul])
  }

  @Test func originsAreInheritedThroughAPermutation() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [try f.node(f.y)], exactness: .exact)
    let moved = rewrite.node(Transpose(permutation: [1, 0]), name: "moved", inputs: [f.mul.operand])
    let inner = rewrite.node(Abs(), name: "inner", inputs: [moved])
    let back = rewrite.node(Transpose(permutation: [1, 0]), name: "back", inputs: [inner])
    rewrite.replace(f.y, with: back)
    rewrite.inheritOrigins(of: f.y, to: inner, permutation: [1, 0])
    _ = try f.graph.apply(rewrite, pass: "test-pass")
    try f.graph.verify()
    let node = try #require(f.graph.nodes.first { $0.name == "inner" })
    #expect(f.graph.value(node.output).origins == [Origin("source/abs", permutation: [1, 0])])
  }

  /// Transposing twice gives the source's order back, which is written as no permutation.
  @Test func permutationsCompose() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2, 3, 4]))
    let a = try graph.add(Transpose(permutation: [2, 0, 1]), name: "a", inputs: [x])[0]
    graph.addOrigins([Origin("s", permutation: [1, 2, 0])], to: a)
    graph.addOutput("a", a)
    var rewrite = Rewrite(removing: [], exactness: .exact)
    let b = rewrite.node(Transpose(permutation: [1, 2, 0]), name: "b", inputs: [a.operand])
    let c = rewrite.node(Transpose(permutation: [1, 2, 0]), name: "c", inputs: [b])
    // a = Transpose(b, [2, 0, 1]) = Transpose(c, [1, 2, 0]).
    rewrite.inheritOrigins(of: a, to: b, permutation: [2, 0, 1])
    rewrite.inheritOrigins(of: a, to: c, permutation: [1, 2, 0])
    _ = try graph.apply(rewrite, pass: "test-pass")
    func origins(_ name: String) throws -> [Origin] {
      graph.value(try #require(graph.nodes.first { $0.name == name }).output).origins
    }
    #expect(try origins("b") == [Origin("s")])
    #expect(try origins("c") == [Origin("s", permutation: [2, 0, 1])])
    try graph.verify()
  }

  /// Unit axes do not count: neither when a permutation moves only them, nor when they are elsewhere or gone.
  @Test func originsAreInheritedUpToUnitAxes() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2, 1, 1, 3]))
    let a = try graph.add(Reshape(shape: [2, 3, 1, 1]), name: "a", inputs: [x])[0]
    graph.addOrigins([Origin("plain"), Origin("swapped", permutation: [1, 0, 2, 3])], to: a)
    graph.addOutput("a", a)
    var rewrite = Rewrite(removing: [], exactness: .exact)
    let same = rewrite.node(Neg(), name: "same", inputs: [x.operand])
    let flat = rewrite.node(Reshape(shape: [2, 3]), name: "flat", inputs: [same])
    rewrite.inheritOrigins(of: a, to: same, permutation: [0, 3, 1, 2])
    rewrite.inheritOrigins(of: a, to: flat, permutation: [])
    _ = try graph.apply(rewrite, pass: "test-pass")
    func origins(_ name: String) throws -> [Origin] {
      graph.value(try #require(graph.nodes.first { $0.name == name }).output).origins
    }
    #expect(try origins("same") == [Origin("plain"), Origin("swapped", permutation: [3, 0, 1, 2])])
    #expect(try origins("flat") == [Origin("plain")])
  }

  @Test func outputsOfANewNodeCanBeNamed() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [], exactness: .exact)
    _ = rewrite.nodes(Neg(), name: "neg", inputs: [f.mul.operand], outputCount: 1, outputNames: ["negative"])
    let added = try f.graph.apply(rewrite, pass: "test-pass").added
    #expect(f.graph.value(f.graph.node(added[0]).output).name == "negative")
  }

  @Test func aReplacementOfAnotherTypeIsRefused() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [try f.node(f.y)], exactness: .exact)
    rewrite.replace(f.y, with: f.w.operand)
    #expect(
      throws: GraphError(
        node: "abs", op: "Abs", message: "pass 'test-pass' replaced float32[2x3] by float32[3]")
    ) { _ = try f.graph.apply(rewrite, pass: "test-pass") }
  }

  @Test func removingANodeThatIsStillReadIsRefused() throws {
    var f = try Fixture()
    let rewrite = Rewrite(removing: [try f.node(f.relu)], exactness: .exact)
    #expect(
      throws: GraphError(
        node: "relu", op: "Relu", message: "pass 'test-pass' removed a node that is still read")
    ) { _ = try f.graph.apply(rewrite, pass: "test-pass") }
  }

  @Test func aWrongNumberOfOutputsIsRefused() throws {
    var f = try Fixture()
    var rewrite = Rewrite(removing: [], exactness: .exact)
    _ = rewrite.nodes(Split(axis: 1, sizes: [1, 2]), name: "split", inputs: [f.x.operand], outputCount: 3)
    #expect(
      throws: GraphError(
        node: "split", op: "Split", message: "pass 'test-pass' expected 3 outputs, inferred 2")
    ) { _ = try f.graph.apply(rewrite, pass: "test-pass") }
  }

  @Test func removedNodesMayBeListedInAnyOrder() throws {
    for reversed in [false, true] {
      var f = try Fixture()
      let nodes = [try f.node(f.relu), try f.node(f.mul), try f.node(f.y)]
      var rewrite = Rewrite(removing: reversed ? nodes.reversed() : nodes, exactness: .exact)
      rewrite.replace(f.y, with: f.x.operand)
      _ = try f.graph.apply(rewrite, pass: "test-pass")
      try f.graph.verify()
      #expect(f.graph.nodeCount == 0)
      #expect(f.graph.values.map(\.name) == ["x"])
    }
  }
}
