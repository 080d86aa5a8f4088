import Foundation
import SepalGraph
import SepalNumpy
import SepalONNX
import SepalPasses
import SepalTensor
import Testing

/// Against the best of the published ways that need no data: pointwise then depthwise, of each layer the least rank that
/// keeps a given share of the energy on average.
@Suite struct SeparationBaselineTests {
  private static func network(_ structure: SeparableStructure, decays: [Double]) throws -> Graph {
    var graph = Graph()
    var value = graph.addInput("x", TensorType(.float32, [1, 8, 8, 16]))
    for (index, decay) in decays.enumerated() {
      var layer = PlantedConvolution(seed: index + 40)
      (layer.inputs, layer.outputs) = (16, 16)
      var sum = [Double](repeating: 0, count: 16 * 16 * 9)
      var size = 1.0
      for _ in 0..<8 {
        layer.plant(structure, rank: 1)
        sum = zip(sum, layer.weight).map { $0 + $1 * size }
        size *= decay
      }
      layer.weight = sum.map { $0 / 12 }
      let w = graph.addConstant("w\(index)", layer.tensor)
      value = try graph.add(
        Conv(
          // Later layers are smaller: an error there saves less.
          strides: index == 1 ? [2, 2] : [1, 1], padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast,
          activation: .relu), name: "c\(index)",
        inputs: [value, w])[0]
    }
    graph.addOutput("y", value)
    return graph
  }

  private static func randomInputs() -> [Tensor] {
    var random = SeededGenerator(5)
    return (0..<8).map { _ in random.tensor([1, 8, 8, 16], in: -1...1) }
  }

  /// The root mean square of the difference relative to that of the outputs.
  private static func error(_ graph: Graph, _ original: Graph, on inputs: [Tensor]) throws -> Double {
    let (input, output) = (original.value(original.inputs[0]).name, original.outputs[0].name)
    var (difference, reference) = (0.0, 0.0)
    for tensor in inputs {
      let expected = try original.evaluate([input: tensor], precision: .double)[output]?.doubles() ?? []
      let actual = try graph.evaluate([input: tensor], precision: .double)[output]?.doubles() ?? []
      for (a, b) in zip(actual, expected) {
        difference += (a - b) * (a - b)
        reference += b * b
      }
    }
    return (difference / reference).squareRoot()
  }

  private static func baseline(_ graph: Graph, energy: Double) throws -> Graph {
    var result = graph
    for report in SeparableAnalysis(graph, .approximate(tolerance: 0.99)).layers {
      let spectrum = try #require(report.spectra.first { $0.structure == .pointwiseDepthwise })
      var kept = 0.0
      let rank =
        1
        + (spectrum.shares.firstIndex { share in
          kept += share
          return kept >= energy
        } ?? 0)
      var report = report
      report.verdict = .rewrite
      report.choice = .init(
        structure: .pointwiseDepthwise, ranks: .equal(rank), relativeError: 0, macs: 0, cost: 0,
        isExact: false)
      let rewrite = try #require(SeparateConvolutions().rewrite(report, in: result)).rewrite
      _ = try result.apply(rewrite, pass: "baseline")
    }
    return result
  }

  @Test(arguments: [
    (SeparableStructure.depthwisePointwise, [0.2, 0.8, 0.5, 0.35]),
    (SeparableStructure.pointwiseDepthwise, [0.15, 0.9, 0.3, 0.6]),
  ])
  func aBudgetForAllLayersIsLessOffAtTheSameCost(structure: SeparableStructure, decays: [Double]) throws {
    try compare(try Self.network(structure, decays: decays), Self.randomInputs())
  }

  @Test func aTrainedNetworkIsLessOffAtTheSameCost() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../fixtures/dense_cnn").standardized.path
    var graph = try ONNXImporter().load(path: "\(folder)/dense_cnn.onnx").graph
    var options = Optimizer.Options()
    options.separation = .off
    try Optimizer(options).run(&graph)
    let images = try #require(try NumpyFile.read(path: "\(folder)/test.npz")["image"]).doubles()
    let digits = stride(from: 0, to: 360, by: 60).map { index in
      Tensor(.float32, [1, 1, 32, 32], doubles: Array(images[index * 1024..<index * 1024 + 1024]))
    }
    try compare(graph, digits)
  }

  private func compare(_ graph: Graph, _ inputs: [Tensor]) throws {
    for energy in [0.7, 0.85, 0.93] {
      let baseline = try Self.baseline(graph, energy: energy)
      let limit = MACCost().cost(of: baseline)
      // The least tolerance with which no more multiply-adds are left.
      var (low, high) = (0.0, 0.99)
      for _ in 0..<8 {
        let middle = (low + high) / 2
        let macs = MACCost().cost(of: try graph.separated(.approximate(tolerance: middle)))
        if macs <= limit { high = middle } else { low = middle }
      }
      let ours = try graph.separated(.approximate(tolerance: high))
      #expect(MACCost().cost(of: ours) <= limit)
      let (error, theirs) = (
        try Self.error(ours, graph, on: inputs), try Self.error(baseline, graph, on: inputs)
      )
      #expect(error < theirs, "\(energy): \(error) against \(theirs)")
    }
  }
}
