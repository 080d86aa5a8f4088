import SepalGraph
import SepalONNX
import SepalTensor
import Testing

/// What the importer decides about a model as a whole: inputs, order, names, refusals.
@Suite struct ONNXImporterTests {
  /// A model of `nodes` from `x` to `y` with declared types.
  static func model(
    _ nodes: [Wire], x: [Wire] = [Wire().int(1, 1), Wire().int(1, 4)], initializers: [Wire] = [],
    values: [Wire] = [], outputs: [String] = ["y"], opset: Int64 = 17
  ) -> Wire {
    var graph = Wire.graph(nodes: nodes, initializers: initializers)
    graph = graph.message(11, Wire.value("x", .float, x)).messages(13, values)
    return .model(graph.messages(12, outputs.map { Wire().string(1, $0) }), opset: opset)
  }

  static func load(
    _ model: Wire, _ options: ONNXImporter.Options = .init()
  ) throws(ONNXError) -> ImportedModel {
    try ONNXImporter(options).load(try model.read())
  }

  /// The message of the refusal.
  static func refusal(_ model: Wire, _ options: ONNXImporter.Options = .init()) -> String {
    do throws(ONNXError) {
      _ = try load(model, options)
      return "accepted"
    } catch {
      return error.description
    }
  }

  static let relu = Wire.node("Relu")

  @Test func leadingSymbolicDimensionIsFixedToOneWithANote() throws {
    let imported = try Self.load(Self.model([Self.relu], x: [Wire().string(2, "batch"), Wire().int(1, 4)]))
    #expect(imported.graph.type(of: imported.graph.inputs[0]).shape == [1, 4])
    #expect(imported.notes == ["dimension 'batch' of input 'x' is fixed to 1"])
  }

  @Test func otherUnknownDimensionsNameInputDimensionAndFlag() {
    let dims = [Wire().int(1, 1), Wire().int(1, 3), Wire().string(2, "height"), Wire()]
    let message = Self.refusal(Self.model([Self.relu], x: dims))
    #expect(message.contains("tensor 'x'") && message.contains("'height'"))
    #expect(message.contains("--shape x=1x3xNxN"))
  }

  @Test func givenShapesFixUnknownDimensionsAndMayReplaceKnownOnes() throws {
    let dims = [Wire(), Wire().int(1, 4)]
    let imported = try Self.load(Self.model([Self.relu], x: dims), .init(shapes: ["x": [3, 5]]))
    #expect(imported.graph.type(of: imported.graph.inputs[0]).shape == [3, 5])
    #expect(imported.notes == ["dimension 1 of input 'x' is 4 in the file and was set to 5"])
  }

  @Test func aGivenShapeReachesOtherInputsThroughItsSymbols() throws {
    let other = Wire.value("z", .float, [Wire().string(2, "n"), Wire().string(2, "m")])
    var graph = Wire.graph(nodes: [Wire.node("Add", inputs: ["x", "z"])])
    graph = graph.message(11, Wire.value("x", .float, [Wire().string(2, "n"), Wire().string(2, "m")]))
    graph = graph.message(11, other).message(12, Wire().string(1, "y"))
    let imported = try Self.load(.model(graph), .init(shapes: ["x": [2, 6]]))
    #expect(imported.graph.inputs.map { imported.graph.type(of: $0).shape } == [[2, 6], [2, 6]])
    #expect(imported.notes.isEmpty)
  }

  @Test func shapesAndConstantsMustNameInputs() {
    let model = Self.model([Self.relu])
    #expect(Self.refusal(model, .init(shapes: ["q": [1]])).contains("no input 'q'; its inputs are 'x'"))
    #expect(Self.refusal(model, .init(constants: ["q": Tensor([], floats: [1])])).contains("no input 'q'"))
    #expect(Self.refusal(model, .init(shapes: ["x": [4]])).contains("rank 2"))
  }

  @Test func anInputBoundAsConstantIsNoInput() throws {
    let tensor = Tensor([1, 4], floats: [-1, 2, -3, 4])
    let imported = try Self.load(Self.model([Self.relu]), .init(constants: ["x": tensor]))
    #expect(imported.graph.inputs.isEmpty)
    #expect(try imported.graph.evaluate([:])["y"]?.floats() == [0, 2, 0, 4])
  }

  @Test func nodesMayComeInAnyAcyclicOrder() throws {
    let nodes = [
      Wire.node("Neg", inputs: ["b"]), Wire.node("Exp", inputs: ["a"], outputs: ["b"]),
      Wire.node("Relu", outputs: ["a"]),
    ]
    let graph = try Self.load(Self.model(nodes)).graph
    #expect(graph.nodes.map { $0.op.name } == ["Relu", "Exp", "Neg"])
  }

  @Test func aCycleIsRefusedByNode() {
    let nodes = [
      Wire.node("Add", name: "first", inputs: ["x", "b"], outputs: ["a"]),
      Wire.node("Relu", name: "second", inputs: ["a"], outputs: ["b"]), Wire.node("Neg", inputs: ["b"]),
    ]
    let message = Self.refusal(Self.model(nodes))
    #expect(message.contains("cycle") && (message.contains("'first'") || message.contains("'second'")))
  }

  @Test func allUnsupportedOperatorsAreReportedAtOnce() {
    let many = (0..<12).map { Wire.node("Loop", name: "loop\($0)", outputs: ["l\($0)"]) }
    let foreign = Wire.node("Relu", name: "mine", outputs: ["y"]).string(7, "com.example")
    let message = Self.refusal(Self.model(many + [foreign]))
    #expect(message.contains("Loop (12 nodes: 'loop0', 'loop1',") && message.contains("'loop9', …)"))
    #expect(message.contains("com.example.Relu (node 'mine')"))
    #expect(!message.contains("loop10"))
  }

  @Test func theOtherNameOfTheDefaultDomainIsTheDefaultDomain() throws {
    let node = Self.relu.string(7, "ai.onnx")
    #expect(try Self.load(Self.model([node])).graph.nodeCount == 1)
  }

  @Test func aValueThatMustBeKnownIsNamedWithItsRole() {
    let nodes = [
      Wire.node(
        "Cast", inputs: ["x"], outputs: ["s"], attributes: [Wire().string(1, "to").int(3, 7).int(20, 2)]),
      Wire.node("Reshape", name: "r", inputs: ["x", "s"]),
    ]
    let message = Self.refusal(Self.model(nodes))
    #expect(message.contains("node 'r' (Reshape, opset 17): tensor 's'") && message.contains("'shape'"))
  }

  @Test func secondaryOutputsAreRefusedOnlyWhenRead() throws {
    let kernel = Wire().string(1, "kernel_shape").int(8, 2).int(8, 2).int(20, 7)
    let dims = [1, 1, 4, 4].map { Wire().int(1, $0) }
    let pool = Wire.node("MaxPool", name: "p", outputs: ["y", "i"], attributes: [kernel])
    #expect(try Self.load(Self.model([pool], x: dims)).graph.nodeCount == 1)
    let message = Self.refusal(Self.model([pool], x: dims, outputs: ["y", "i"]))
    #expect(message.contains("node 'p' (MaxPool, opset 17): tensor 'i': is output 1 of this node"))
  }

  @Test func aWrongDeclaredShapeIsNotedAndAWrongElementTypeRefused() throws {
    let nodes = [Wire.node("Relu", outputs: ["a"]), Wire.node("Neg", name: "n", inputs: ["a"])]
    let shape = Wire.value("a", .float, [Wire().int(1, 7), Wire().int(1, 4)])
    let imported = try Self.load(Self.model(nodes, values: [shape]))
    #expect(imported.notes.count == 1)
    #expect(imported.notes.first?.contains("'a' is declared as [7x4] and is float32[1x4]") == true)
    let type = Wire.value("a", .int64, [Wire().int(1, 1), Wire().int(1, 4)])
    #expect(Self.refusal(Self.model(nodes, values: [type])).contains("declared as int64"))
  }

  @Test func severalOperatorsForOneNodeShareItsNameAndOnlyTheLastHasTheOrigin() throws {
    let bounds = [
      Wire.node("Neg", name: "low", outputs: ["l"]), Wire.node("Abs", name: "high", outputs: ["h"]),
    ]
    let clip = Wire.node("Clip", name: "clip", inputs: ["x", "l", "h"])
    let graph = try Self.load(Self.model(bounds + [clip])).graph
    #expect(graph.nodes.suffix(2).map(\.name) == ["clip/max", "clip"])
    #expect(graph.nodes.suffix(2).map { graph.value($0.output).origins } == [[], [Origin("y")]])
  }

  @Test func aLongChainIsImportedWithoutRecursion() throws {
    let count = 20_000
    let nodes = (0..<count).reversed().map { index in
      Wire.node(
        "Relu", inputs: [index == 0 ? "x" : "v\(index)"],
        outputs: [index == count - 1 ? "y" : "v\(index + 1)"])
    }
    #expect(try Self.load(Self.model(nodes)).graph.nodeCount == count)
  }

  @Test(arguments: [Int64(6), 99]) func operatorSetsOutsideTheKnownRangeAreRefused(opset: Int64) {
    #expect(Self.refusal(Self.model([Self.relu], opset: opset)).contains("operator set (opset) \(opset)"))
  }
}
