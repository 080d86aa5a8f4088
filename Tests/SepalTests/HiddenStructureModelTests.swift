import Sepal
import Testing

/// Structure that a model's weights have in a larger or permuted dress is found, the result computes what ONNX Runtime
/// recorded for the model as it was, and the report says what the conversion does.
struct HiddenStructureModelTests {
  struct Planted: Decodable {
    /// Passes.
    var found: [String]
    /// Of the layers that are left, output channels first.
    var kernels: [[Int]]
  }

  static let names = Fixtures.names(in: "separable_hidden", suffix: ".onnx")
  private static let passes = [
    "trim-kernel-border", "drop-useless-channels", "split-hidden-groups", "separate-convolutions",
  ]

  private static func planted() throws -> [String: Planted] {
    try Fixtures.json("separable_hidden/index.json")
  }

  @Test func thereAreModels() throws { #expect(try Self.planted().keys.sorted() == Self.names) }

  private func convert(_ name: String, _ separation: Separation) throws -> Graph {
    let arrays = try NumpyFile.read(path: Fixtures.path("separable_hidden/\(name).npz"))
    let file = ScratchFile()
    var converter = Converter()
    converter.optimization.separation = separation
    let graph = try converter.convert(Fixtures.path("separable_hidden/\(name).onnx"), to: file.path).graph
    let input = try #require(arrays["x"])
    let expected = try #require(arrays["out:y"]).doubles()
    let actual = try #require(try ModelFile(path: file.path).run(["x": input]).first?.tensor).doubles()
    let scale = expected.reduce(0) { max($0, abs($1)) }
    #expect(actual.count == expected.count)
    #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(name), \(separation)")
    return graph
  }

  private func found(_ graph: Graph) -> [String] {
    graph.provenance.rewrites.map(\.pass).filter(Self.passes.contains)
  }

  @Test(arguments: names)
  func theResultComputesTheSame(name: String) throws {
    let planted = try #require(try Self.planted()[name])
    let graph = try convert(name, .exact)
    #expect(found(graph) == planted.found)
    let kernels = graph.nodes.compactMap { node -> [Int]? in
      guard let weight = node.input(1).map({ graph.type(of: $0).shape }) else { return nil }
      if node.op is Conv { return weight }
      guard let op = node.op as? ConvTranspose else { return nil }
      return [weight[1] * op.groups, weight[0] / op.groups] + weight.dropFirst(2)
    }
    #expect(kernels == planted.kernels)
    var again = graph
    #expect(try Optimizer().run(&again).rewrites == 0)
  }

  @Test(arguments: names)
  func offDoesNothing(name: String) throws { #expect(found(try convert(name, .off)).isEmpty) }

  @Test(arguments: names)
  func theReportSaysWhatIsDone(name: String) throws {
    let planted = try #require(try Self.planted()[name])
    var options = SeparableReport.Options()
    options.measures = true
    let file = try ModelFile(path: Fixtures.path("separable_hidden/\(name).onnx"))
    let report = try SeparableReport(file, options)
    let rewritten = report.layers.filter { $0.verdict == "rewrite" }
    #expect(rewritten.count == planted.found.count, "\(report.layers)")
    for layer in rewritten {
      #expect(try #require(layer.macsAfter) < layer.macs)
      #expect(try #require(layer.relError) < 1e-6)
      #expect(try #require(layer.measuredMs) > 0)
      #expect(try #require(layer.measuredMsAfter) > 0)
      #expect(!layer.kernel.isEmpty && !layer.structure.isEmpty && !layer.reason.isEmpty)
    }
    let graph = try convert(name, .exact)
    #expect(report.network.macsAfter == Int(MACCost().cost(of: graph)))
    #expect(report.network.macs > report.network.macsAfter)
  }
}
