import SepalGraph
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

  /// The root mean square of the difference relative to that of the outputs, on seeded inputs.
  private static func error(_ graph: Graph, _ original: Graph) throws -> Double {
    var random = SeededGenerator(5)
    var (difference, reference) = (0.0, 0.0)
    for _ in 0..<8 {
      let inputs = ["x": random.tensor([1, 8, 8, 16], in: -1...1)]
      let expected = try original.evaluate(inputs, precision: .double)["y"]?.doubles() ?? []
      let actual = try graph.evaluate(inputs, precision: .double)["y"]?.doubles() ?? []
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
        structure: .pointwiseDepthwise, rank: rank, relativeError: 0, macs: 0, cost: 0, isExact: false)
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
    let graph = try Self.network(structure, decays: decays)
    for energy in [0.7, 0.85, 0.93] {
      let baseline = try Self.baseline(graph, energy: energy)
      let limit = MACCost().cost(of: baseline)
      // The least tolerance with which no more multiply-adds are left.
      var (low, high) = (0.0, 0.99)
      for _ in 0..<12 {
        let middle = (low + high) / 2
        let macs = MACCost().cost(of: try graph.separated(.approximate(tolerance: middle)))
        if macs <= limit { high = middle } else { low = middle }
      }
      let ours = try graph.separated(.approximate(tolerance: high))
      #expect(MACCost().cost(of: ours) <= limit)
      let (error, theirs) = (try Self.error(ours, graph), try Self.error(baseline, graph))
      #expect(error < theirs, "\(energy): \(error) against \(theirs)")
    }
  }
}
