import SepalGraph
import SepalPasses
import SepalRuntime
import SepalTensor
import SepalValidation
import Testing

/// What the source computes, recorded and replayed.
struct GoldenVectorTests {
  /// Conv → BatchNorm → Clip → Conv, as an importer leaves it.
  private func source(clip: Double = 6) throws -> Graph {
    var graph = Graph(name: "net")
    var generator = InputGenerator(seed: 9)
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 9, 9]))
    let w1 = graph.addConstant("w1", generator.tensor(TensorType(.float32, [16, 3, 3, 3])))
    let first = try graph.add(Conv(padBegins: [1, 1], padEnds: [1, 1]), name: "first", inputs: [x, w1])
    let statistics = ["scale", "bias", "mean"].map { name in
      graph.addConstant(name, generator.tensor(TensorType(.float32, [16])))
    }
    let variance = graph.addConstant("variance", Tensor([16], floats: (0..<16).map { 0.5 + Float($0) }))
    let normalized = try graph.add(
      BatchNorm(), name: "norm", inputs: [first[0]] + statistics + [variance])
    let clipped = try graph.add(Clip(min: 0, max: clip), name: "clip", inputs: [normalized[0]])
    let w2 = graph.addConstant("w2", generator.tensor(TensorType(.float32, [96, 16, 1, 1])))
    let second = try graph.add(Conv(), name: "second", inputs: [clipped[0], w2])
    graph.addOutput("y", second[0])
    return graph
  }

  private func converted() throws -> Graph {
    var graph = try source()
    graph.provenance.golden = [try GoldenVector(recording: graph)]
    try Optimizer().run(&graph)
    return graph
  }

  @Test(arguments: InstructionSet.allCases.filter(\.isAvailable), [1, 2])
  func aConvertedGraphComputesWhatItsSourceDoes(isa: InstructionSet, threads: Int) throws {
    var options = ModelOptions(threads: threads)
    options.instructionSet = isa
    let replay = try GoldenReplay(try converted(), options: options)
    #expect(replay.isEquivalent)
    #expect(replay.instructionSet == isa.rawValue)
    #expect(replay.outputs.map(\.name) == ["y"])
    #expect(replay.outputs.first?.count == 96 * 81)
    #expect(replay.outputs.first?.compared == 4096)
    #expect(replay.outputs.first.map { 0 < $0.maxAbsolute && $0.maxAbsolute < $0.bound } == true)
  }

  /// One bit of one weight wherever that changes what the network computes by more than is accepted: in most places from the
  /// middle of the mantissa on.
  @Test(arguments: 12..<32)
  func aFlippedBitOfAWeightIsFound(bit: Int) throws {
    let graph = try converted()
    let golden = graph.provenance.golden[0].outputs[0]
    var effective = 0
    for (index, value) in graph.values.filter(\.isConstant).enumerated() {
      var wrong = graph
      var floats = try #require(value.constant).floats()
      let position = (31 * index + 7) % floats.count
      floats[position] = Float(bitPattern: floats[position].bitPattern ^ 1 << UInt32(bit))
      wrong.replaceElements(of: value.id, by: Tensor(value.type.shape, floats: floats))
      let recorded = try GoldenVector(recording: wrong).outputs[0]
      let isBelowRounding = golden.values.indices.allSatisfy { sample in
        (recorded.values[sample] - golden.values[sample]).magnitude < 2 * Double(golden.bounds[sample])
      }
      guard !isBelowRounding else { continue }
      effective += 1
      #expect(try !GoldenReplay(wrong).isEquivalent, "bit \(bit) of \(value.name)[\(position)]")
    }
    #expect(effective >= 1)
  }

  @Test func anotherSourceIsNotEquivalent() throws {
    var graph = try converted()
    graph.provenance.golden = [try GoldenVector(recording: try source(clip: 5.9))]
    #expect(try !GoldenReplay(graph).isEquivalent)
  }

  @Test func allVectorsCount() throws {
    var graph = try converted()
    let source = try source()
    graph.provenance.golden = try (1...3).map { try GoldenVector(recording: source, seed: $0) }
    let replay = try GoldenReplay(graph)
    #expect(replay.isEquivalent)
    #expect(replay.vectors == 3)
    #expect(replay.outputs.first?.compared == 3 * 4096)
    graph.provenance.golden[2].outputs[0].values[4000] += 1
    #expect(try !GoldenReplay(graph).isEquivalent)
  }

  @Test func whatALossyFilePromisedIsAccepted() throws {
    let graph = try converted()
    var lossy = graph
    for value in graph.values {
      guard let tensor = value.constant else { continue }
      lossy.replaceElements(of: value.id, by: tensor.converted(to: .float16).converted(to: .float32))
    }
    #expect(try !GoldenReplay(lossy).isEquivalent)
    try lossy.provenance.golden[0].accept(lossOf: lossy)
    #expect(lossy.provenance.golden[0].outputs[0].bounds.count == 4096)
    #expect(try GoldenReplay(lossy).isEquivalent)
    // And no more than that.
    lossy.provenance.golden[0].outputs[0].values[17] += 0.5
    #expect(try !GoldenReplay(lossy).isEquivalent)
  }

  @Test func numbersThatAreNotFiniteMustBeTheSame() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [4]))
    let root = try graph.add(Sqrt(), name: "root", inputs: [x])
    graph.addOutput("y", root[0])
    let golden = try GoldenVector(recording: graph)
    #expect(golden.outputs[0].values.contains { $0.isNaN })
    graph.provenance.golden = [golden]
    #expect(try GoldenReplay(graph).isEquivalent)
    let position = try #require(golden.outputs[0].values.firstIndex { $0.isNaN })
    graph.provenance.golden[0].outputs[0].values[position] = 0
    #expect(try !GoldenReplay(graph).isEquivalent)
  }

  @Test func whatCannotBeReplayedIsAnError() throws {
    let bare = #expect(throws: ComparisonError.self) { try GoldenReplay(try source()) }
    #expect(bare?.message == "holds no golden vectors")
    var graph = try converted()
    graph.provenance.golden[0].generator = 2
    let unknown = #expect(throws: ComparisonError.self) { try GoldenReplay(graph) }
    #expect(unknown?.message.contains("generator 2") == true)
  }

  /// Files rely on it. The numbers are those of the text in `schemas/FORMAT.md`, computed without this code.
  @Test func inputsAreMadeAsTheFormatSays() throws {
    var graph = Graph()
    for type in [TensorType(.float64, [3]), TensorType(.int64, [2, 2]), TensorType(.bool, [4])] {
      graph.addOutput("\(type)", graph.addInput("\(type.element)", type))
    }
    let golden = try GoldenVector(recording: graph, seed: 1)
    #expect(golden.generator == 1)
    let expected: [[Double]] = [
      [
        1.4243480905156507, -0.618904259878568, -0.5907667571367324,
      ], [5, 1, 0, 4], [0, 1, 1, 0],
    ]
    #expect(golden.outputs.map(\.values) == expected)
  }
}
