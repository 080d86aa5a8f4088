import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("trim-kernel-border, drop-useless-channels, split-hidden-groups")
struct HiddenStructureTests {
  /// Conv 3×3, then Conv 3×3 with `weight`, then Conv 1×1.
  private func chain(
    _ middle: PlantedConvolution, first: [Double]? = nil, last: [Double]? = nil
  ) throws -> Graph {
    var random = PlantedConvolution(seed: 77)
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 9, 9, 3]))
    func constant(_ name: String, _ shape: [Int], _ values: [Double]?) -> ValueID {
      graph.addConstant(
        name, Tensor(.float32, shape, doubles: values ?? random.numbers(shape.reduce(1, *))))
    }
    let w1 = constant("w1", [middle.inputs, 3, 3, 3], first)
    let b1 = constant("b1", [middle.inputs], nil)
    let a = try graph.add(
      Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast, activation: .relu), name: "a",
      inputs: [x, w1, b1])[0]
    let w2 = graph.addConstant("w2", middle.tensor)
    let b2 = constant("b2", [middle.outputs], nil)
    let b = try graph.add(middle.op, name: "b", inputs: [a, w2, b2])[0]
    let w3 = constant("w3", [8, middle.outputs, 1, 1], last)
    let c = try graph.add(Conv(layout: .channelsLast), name: "c", inputs: [b, w3])[0]
    graph.addOutput("y", c)
    return graph
  }

  @Test(arguments: [1, 2, 4])
  func groupsBehindPermutations(perBlock: Int) throws {
    var planted = PlantedConvolution(seed: perBlock)
    (planted.inputs, planted.outputs) = (12, 12)
    planted.fillDense()
    let (inputs, outputs) = (
      (0..<12).map { ($0 * 5 + 3) % 12 / perBlock }, (0..<12).map { ($0 * 7 + 2) % 12 / perBlock }
    )
    for output in 0..<12 {
      for input in 0..<12 where inputs[input] != outputs[output] {
        for tap in 0..<9 { planted.weight[(output * 12 + input) * 9 + tap] = 0 }
      }
    }
    let graph = try chain(planted)
    let separated = try graph.separated()
    #expect(separated.nodes.compactMap { $0.op(as: Conv.self)?.groups } == [1, 12 / perBlock, 1])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
    // Without neighbours that can be reordered it stays.
    let alone = try planted.graph()
    let kept = try alone.separated().provenance.rewrites
    #expect(!kept.contains { $0.pass == "split-hidden-groups" })
  }

  @Test func aDenseDiagonalIsDepthwise() throws {
    var planted = PlantedConvolution(seed: 1)
    (planted.inputs, planted.outputs) = (6, 6)
    planted.fillDense()
    for index in planted.weight.indices where index / 54 != index / 9 % 6 { planted.weight[index] = 0 }
    let graph = try planted.graph()
    let separated = try graph.separated()
    #expect(separated.nodes.compactMap { $0.op(as: Conv.self)?.groups } == [6])
    #expect(separated.provenance.rewrites.map(\.exactness) == [.exact])
    try expectEquivalent(graph, separated, tolerance: 0)
  }

  @Test(arguments: [(1, 1, [1, 1]), (0, 1, [2, 1]), (1, 0, [1, 3])])
  func bordersOfZeros(rowPad: Int, columnPad: Int, kernel: [Int]) throws {
    var planted = PlantedConvolution(seed: 2)
    planted.padBegins = [rowPad, columnPad]
    planted.padEnds = [1, columnPad]
    planted.fillDense()
    for index in planted.weight.indices where index % 9 != 4 { planted.weight[index] = 0 }
    let graph = try planted.graph()
    let separated = try graph.separated()
    let node = try #require(separated.nodes.first { $0.op is Conv })
    #expect(separated.constant(node.input(1))?.shape.suffix(2) == kernel[...])
    try expectEquivalent(graph, separated, tolerance: 0)
  }

  @Test func channelsThatNobodyReads() throws {
    var planted = PlantedConvolution(seed: 4)
    planted.fillDense()
    for output in 0..<40 {
      for input in [0, 5, 11] {
        for tap in 0..<9 { planted.weight[(output * 12 + input) * 9 + tap] = 0 }
      }
    }
    let graph = try chain(planted)
    let separated = try graph.separated()
    #expect(separated.nodes.map { separated.type(of: $0.output).shape[3] } == [9, 40, 8])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  @Test func channelsThatAreTheSameEverywhere() throws {
    var planted = PlantedConvolution(seed: 6)
    planted.fillDense()
    // Zero filters: what is left is the activated bias, which the 1×1 convolution behind adds up.
    for index in 0..<3 * 108 { planted.weight[index] = 0 }
    let graph = try chain(planted)
    let separated = try graph.separated()
    #expect(separated.nodes.map { separated.type(of: $0.output).shape[3] } == [12, 37, 8])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  @Test func aConstantChannelIsNotZeroAtAPaddedBorder() throws {
    var planted = PlantedConvolution(seed: 6)
    planted.fillDense()
    var first = PlantedConvolution(seed: 8)
    var weight = first.numbers(12 * 27)
    for index in 0..<27 { weight[index] = 0 }
    let graph = try chain(planted, first: weight)
    let separated = try graph.separated()
    let kept = separated.type(of: try #require(separated.nodes.first).output).shape[3]
    let bias = try #require(graph.values.first { $0.name == "b1" }?.constant).floats()[0]
    #expect(kept == (bias > 0 ? 12 : 11))
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  @Test func equalFiltersAreComputedOnce() throws {
    var planted = PlantedConvolution(seed: 10)
    planted.fillDense()
    let graph = try chain(planted)
    var doubled = graph
    // b2 is noise: equal filters with other biases stay.
    #expect(try doubled.separated().type(of: try #require(doubled.nodes.first).output).shape[3] == 12)
    planted.weight.replaceSubrange(108..<216, with: planted.weight[0..<108])
    doubled = try chain(planted)
    let b2 = try #require(doubled.values.first { $0.name == "b2" })
    var bias = try #require(b2.constant).floats()
    bias[1] = bias[0]
    let equal = doubled.addConstant("equal", Tensor([40], floats: bias))
    doubled.replaceUses(of: b2.id, with: equal)
    let separated = try doubled.separated()
    #expect(separated.nodes.map { separated.type(of: $0.output).shape[3] } == [12, 39, 8])
    try expectEquivalent(doubled, separated, tolerance: 1e-5)
  }
}
