import Sepal
import Testing

/// Files that promise less than their source are held to what they promise, and to no less.
struct LossyModelTests {
  private static let source = "dense_cnn/dense_cnn.onnx"

  private func converted(_ change: (inout Converter) -> Void) throws -> Graph {
    let file = ScratchFile()
    var converter = Converter()
    converter.golden = false
    change(&converter)
    _ = try converter.convert(Fixtures.path(Self.source), to: file.path)
    return try ModelFile(path: file.path).graph
  }

  private func report(_ graph: Graph) throws -> ValidationReport {
    try Validator(original: try ModelFile(path: Fixtures.path(Self.source)).graph, converted: graph).run()
  }

  /// The same graph with the elements of one weight scaled.
  private func scaled(_ graph: Graph, by factor: Double) throws -> Graph {
    let weight = try #require(graph.values.last { ($0.constant?.count ?? 0) > 1000 })
    let elements = try #require(weight.constant).doubles()
    var graph = graph
    graph.replaceElements(
      of: weight.id, by: Tensor(.float32, weight.type.shape, doubles: elements.map { $0 * factor }))
    return graph
  }

  @Test func halfPrecisionIsJudgedByItsRounding() throws {
    let half = try converted { $0.precision = .f16 }
    let verdict = try report(half)
    #expect(verdict.weightPrecision == .half)
    #expect(verdict.isEquivalent)
    let output = try #require(verdict.outputs.first).comparison
    #expect(output.maxRelative > 1e-5 && output.deviations > 0.1)
    // A hundredth is far more than rounding to eleven bits.
    #expect(!(try report(try scaled(half, by: 1.01)).isEquivalent))
  }

  @Test func anApproximationIsJudgedByItsPromise() throws {
    let approximated = try converted {
      $0.optimization.separation = .approximate(tolerance: 0.3)
      $0.optimization.cost = MACCost()
    }
    let verdict = try report(approximated)
    #expect(!verdict.approximations.promised.isEmpty)
    #expect(verdict.isEquivalent)
    #expect(try #require(verdict.outputs.first).comparison.maxRelative > 1e-4)
    for (origin, promised) in verdict.approximations.promised {
      let layer = try #require(verdict.layers.last { $0.origin == origin })
      #expect(layer.comparison.rmsRelative < 3 * promised)
    }
    #expect(!(try report(try scaled(approximated, by: -1)).isEquivalent))
  }
}
