import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("split-hidden-groups: blocks")
struct HiddenBlocksTests {
  /// A dense kernel without the weights between channels that `connects` leaves out.
  private func planted(
    _ inputs: Int, _ outputs: Int, groups: Int = 1, _ connects: (_ input: Int, _ output: Int) -> Bool
  ) -> PlantedConvolution {
    var planted = PlantedConvolution(seed: inputs * 31 + outputs)
    (planted.inputs, planted.outputs, planted.groups) = (inputs, outputs, groups)
    planted.fillDense()
    let (perGroup, outputsPerGroup) = (inputs / groups, outputs / groups)
    for output in 0..<outputs {
      for own in 0..<perGroup where !connects(output / outputsPerGroup * perGroup + own, output) {
        for tap in 0..<9 { planted.weight[(output * perGroup + own) * 9 + tap] = 0 }
      }
    }
    return planted
  }

  private func expectGroups(_ groups: Int, _ planted: PlantedConvolution) throws {
    var planted = planted
    let graph = try planted.graph()
    let separated = try graph.separated()
    #expect(separated.nodes.compactMap { $0.op(as: Conv.self)?.groups } == [groups])
    #expect(separated.provenance.rewrites.map(\.exactness) == [.exact])
    try expectEquivalent(graph, separated, tolerance: 0)
    #expect(try separated.separated().provenance.rewrites.count == 1)
  }

  @Test func aDiagonalWithChannelsThatDied() throws {
    try expectGroups(8, planted(8, 8) { $0 == $1 && $0 != 2 && $0 != 5 })
  }

  @Test func aMultiplierWithFiltersThatDied() throws {
    try expectGroups(4, planted(4, 8) { $0 == $1 / 2 && $1 != 3 })
  }

  @Test func blocksThatAreThemselvesSparse() throws {
    // Channels 0 and 1 mix, 2 and 3 do not: two groups of two, though components differ in size.
    try expectGroups(2, planted(4, 4) { $0 == $1 || ($0 < 2 && $1 < 2) })
  }

  @Test func groupsWithinGroups() throws {
    try expectGroups(4, planted(8, 16, groups: 2) { $0 / 2 == $1 / 4 })
  }

  @Test func blocksThatDoNotComeOutEven() throws {
    var uneven = planted(4, 4) { ($0 < 3) == ($1 < 3) }
    let separated = try uneven.graph().separated()
    #expect(!separated.provenance.rewrites.contains { $0.pass == "split-hidden-groups" })
  }

  /// Bilinear upsampling as segmentation networks store it: a dense transposed convolution, zero off the diagonal.
  @Test(arguments: [Layout.channelsFirst, .channelsLast])
  func upsamplingAsADenseTransposedConvolution(layout: Layout) throws {
    let channels = 5
    let line = [0.25, 0.75, 0.75, 0.25]
    var weight = [Double](repeating: 0, count: channels * channels * 16)
    for channel in 0..<channels {
      for tap in 0..<16 {
        weight[(channel * channels + channel) * 16 + tap] = line[tap / 4] * line[tap % 4]
      }
    }
    var graph = Graph()
    let shape = layout.shape(batch: 1, channels: channels, spatial: [6, 7])
    let x = graph.addInput("x", TensorType(.float32, shape))
    let w = graph.addConstant("w", Tensor(.float32, [channels, channels, 4, 4], doubles: weight))
    let op = ConvTranspose(strides: [2, 2], padBegins: [1, 1], padEnds: [1, 1], layout: layout)
    graph.addOutput("y", try graph.add(op, name: "up", inputs: [x, w])[0])
    let separated = try graph.separated()
    #expect(separated.nodes.compactMap { $0.op(as: ConvTranspose.self)?.groups } == [channels])
    try expectEquivalent(graph, separated, tolerance: 0)
  }

  /// The neighbours reorder channels; those that died fill up what is missing.
  @Test func aPermutedDiagonalWithChannelsThatDied() throws {
    var random = PlantedConvolution(seed: 5)
    var planted = planted(12, 12) { ($0 * 5 + 3) % 12 == ($1 * 7 + 2) % 12 && $0 != 4 && $0 != 9 }
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 9, 9, 3]))
    let w1 = graph.addConstant("w1", Tensor(.float32, [12, 3, 3, 3], doubles: random.numbers(324)))
    let w2 = graph.addConstant("w2", planted.tensor)
    let b2 = graph.addConstant("b2", Tensor(.float32, [12], doubles: random.numbers(12)))
    let w3 = graph.addConstant("w3", Tensor(.float32, [8, 12, 3, 3], doubles: random.numbers(864)))
    let padded = Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast, activation: .sigmoid)
    let a = try graph.add(padded, name: "a", inputs: [x, w1])[0]
    planted.activation = .sigmoid
    let b = try graph.add(planted.op, name: "b", inputs: [a, w2, b2])[0]
    graph.addOutput("y", try graph.add(padded, name: "c", inputs: [b, w3])[0])
    var options = Optimizer.Options()
    options.disabledPasses = ["drop-useless-channels"]
    var split = graph
    try Optimizer(options).run(&split)
    #expect(split.nodes.compactMap { $0.op(as: Conv.self)?.groups } == [1, 12, 1])
    try expectEquivalent(graph, split, tolerance: 1e-5)
  }
}
