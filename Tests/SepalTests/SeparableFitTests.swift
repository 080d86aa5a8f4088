import Sepal
import SepalPasses
import Testing

/// What samples are good for, on the trained stack of dense convolutions.
struct SeparableFitTests {
  private struct Point {
    let macs: Double
    /// ‖Δlogits‖ / ‖logits‖ over images that nothing was fitted to.
    let error: Double
  }

  private let original: Graph
  private let samples: CalibrationSamples

  init() throws {
    var graph = try ModelFile(path: Fixtures.path("dense_cnn/dense_cnn.onnx")).graph
    try Optimizer().run(&graph)
    original = graph
    samples = try CalibrationSamples(
      path: Fixtures.path("dense_cnn/calibration.npz"), for: graph, mostSamples: 48)
  }

  private func logits(_ graph: Graph) throws -> [Double] {
    let test = try DigitImages("test")
    let session = try Model(graph).makeSession()
    return try stride(from: 0, to: test.indices.count, by: 2).flatMap {
      try #require(try session.run(inputs: ["image": test[$0]])["logits"]).doubles()
    }
  }

  private func point(_ graph: Graph, _ expected: [Double]) throws -> Point {
    let (error, power) = zip(try logits(graph), expected).reduce((0.0, 0.0)) { sums, pair in
      (sums.0 + (pair.0 - pair.1) * (pair.0 - pair.1), sums.1 + pair.1 * pair.1)
    }
    return Point(macs: MACCost().cost(of: graph), error: (error / power).squareRoot())
  }

  /// For each network from the weights alone the dearest one from samples that takes no more multiply-adds.
  @Test func samplesAreNeverWorseThanWeightsAloneAtEqualMultiplyAdds() throws {
    let expected = try logits(original)
    let plain = try [0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map { tolerance in
      var options = Optimizer.Options()
      options.separation = .approximate(tolerance: tolerance)
      var graph = original
      try Optimizer(options).run(&graph)
      return try point(graph, expected)
    }
    let fitted = try [0.03, 0.05, 0.08, 0.12, 0.16, 0.25].map { tolerance in
      var graph = original
      _ = try SeparableApproximation(tolerance: tolerance).run(
        &graph, samples: RuntimeActivations(samples), cost: MACCost())
      return try point(graph, expected)
    }
    var better = 0
    #expect(plain.allSatisfy { $0.error > 0 })
    for point in plain {
      let match = try #require(fitted.filter { $0.macs <= point.macs }.max { $0.macs < $1.macs })
      #expect(match.error <= point.error, "\(match) against \(point)")
      if match.error < point.error { better += 1 }
    }
    #expect(2 * better > plain.count)
  }

  @Test func theFitHasTheSameBitsOnOneThreadAndOnMany() throws {
    func fitted() throws -> Graph {
      var graph = original
      let layers = try SeparableApproximation(tolerance: 0.4).run(
        &graph, samples: RuntimeActivations(samples), cost: MACCost())
      #expect(layers.contains { $0.ranks != nil })
      return graph
    }
    let (one, many) = (try SerialWork.$isOn.withValue(true, operation: fitted), try fitted())
    #expect(one.description == many.description)
    for (a, b) in zip(one.values, many.values) {
      if let a = a.constant, let b = b.constant { #expect(a.isIdentical(to: b)) }
    }
  }
}
