import SepalGraph
import SepalTensor
import Testing

@Suite struct GraphTests {
  private static let type = TensorType(.float32, [2])

  @Test func addInfersTypesAndNamesOutputs() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [4, 3]))
    let parts = try graph.add(
      Split(axis: 0, sizes: [1, 3]), name: "split", inputs: [x], outputNames: ["head"])
    #expect(parts.map { graph.value($0).name } == ["head", "split:1"])
    #expect(parts.map { graph.type(of: $0).shape } == [[1, 3], [3, 3]])
    #expect(graph.producer(of: parts[1])?.name == "split")
    #expect(graph.producer(of: x) == nil)
    #expect(graph.value(x).origins == [Origin("x")])
    try graph.verify()
  }

  @Test func addRefusesWhatTheOperatorRefusesAndLeavesTheGraphAlone() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    #expect(throws: GraphError(node: "n", op: "Not", message: "does not take float32")) {
      try graph.add(Not(), name: "n", inputs: [x])
    }
    #expect(throws: GraphError(node: "n", op: "Add", message: "input 'b' is missing")) {
      try graph.add(Add(), name: "n", inputs: [x, nil])
    }
    #expect(graph.nodeCount == 0)
    #expect(graph.value(x).useCount == 0)
    try graph.verify()
  }

  @Test func addRefusesTypesThatCannotBeAllocated() throws {
    var graph = Graph()
    let a = graph.addInput("a", TensorType(.float32, [1 << 40, 1]))
    let b = graph.addInput("b", TensorType(.float32, [1, 1 << 40]))
    #expect(throws: GraphError.self) { try graph.add(Add(), name: "n", inputs: [a, b]) }
  }

  @Test func useListsCountOperandSlotsAndOutputs() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    let double = try graph.add(Add(), name: "double", inputs: [x, x])[0]
    let y = try graph.add(Mul(), name: "y", inputs: [double, x])[0]
    graph.addOutput("y", y)
    graph.addOutput("again", y)
    #expect(graph.value(x).useCount == 3)
    #expect(graph.value(x).consumers.map { graph.node($0).name } == ["double", "y"])
    #expect(graph.value(y).useCount == 2 && graph.value(y).isGraphOutput)
    #expect(graph.soleConsumer(of: double)?.name == "y")
    #expect(graph.soleConsumer(of: x) == nil)
    #expect(graph.soleConsumer(of: y) == nil)
    #expect(graph.soleProducer(of: double, as: Add.self)?.node.name == "double")
    #expect(graph.soleProducer(of: double, as: Mul.self) == nil)
    #expect(graph.soleProducer(of: y, as: Mul.self) == nil)
    try graph.verify()
  }

  @Test func replaceUsesMovesEverySlotAndOutput() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    let old = try graph.add(Relu(), name: "old", inputs: [x])[0]
    let square = try graph.add(Mul(), name: "square", inputs: [old, old])[0]
    graph.addOutput("square", square)
    graph.addOutput("old", old)
    let new = try graph.add(Abs(), name: "new", inputs: [x])[0]
    graph.replaceUses(of: old, with: new)
    try graph.verify()
    #expect(graph.value(old).useCount == 0)
    #expect(graph.value(new).useCount == 3)
    #expect(graph.producer(of: square)?.inputs == [new, new])
    #expect(graph.outputs.map(\.value) == [square, new])
    graph.replaceUses(of: new, with: new)
    #expect(graph.value(new).useCount == 3)
    try graph.verify()
  }

  @Test func removingANodeReleasesItsOperands() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    let weight = graph.addConstant("w", Tensor([2], floats: [1, 2]))
    let kept = graph.addConstant("kept", Tensor([2], floats: [1, 2]))
    let unused = try graph.add(Add(), name: "unused", inputs: [x, weight])[0]
    let y = try graph.add(Mul(), name: "y", inputs: [x, kept])[0]
    graph.addOutput("y", y)
    let node = try #require(graph.producer(of: unused))
    graph.remove(node.id)
    #expect(!graph.contains(node.id) && !graph.contains(unused))
    #expect(graph.nodeCount == 1)
    #expect(graph.value(x).useCount == 1)
    graph.removeUnreadConstants()
    #expect(!graph.contains(weight) && graph.contains(kept))
    try graph.verify()
  }

  @Test func aGraphIsAValue() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    let copy = graph
    graph.addOutput("y", try graph.add(Relu(), name: "y", inputs: [x])[0])
    #expect(copy.nodeCount == 0 && copy.value(x).useCount == 0 && copy.outputs.isEmpty)
  }
}
