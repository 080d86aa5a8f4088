import Sepal
import Testing

/// Whole networks: a trained one with its test set, and the MobileNets' published costs.
struct NetworkTests {
  @Test(arguments: [Storage.compact, .mmap], [1, 2])
  func digitsAreClassifiedAsRecorded(storage: Storage, threads: Int) throws {
    let file = ScratchFile()
    var converter = Converter()
    converter.storage = storage
    let report = try converter.convert(Fixtures.path("digits/digits.onnx"), to: file.path).report
    #expect(report.nodesAfter < report.nodesBefore)

    func array(_ name: String) throws -> Tensor {
      try #require(try NumpyFile.read(path: Fixtures.path("digits/\(name).npy"))[""])
    }
    let (images, labels) = (try array("images").floats(), try #require(try array("labels").integers()))
    let expected = try array("logits").doubles()
    let session = try Model(ModelFile(path: file.path).graph, options: ModelOptions(threads: threads))
      .makeSession()
    var correct = 0
    for index in labels.indices {
      let image = Tensor([1, 1, 8, 8], floats: Array(images[index * 64..<index * 64 + 64]))
      let logits = try #require(try session.run(inputs: ["image": image])["logits"]).doubles()
      let recorded = expected[index * 10..<index * 10 + 10]
      let scale = recorded.map(\.magnitude).max() ?? 0
      #expect(zip(logits, recorded).allSatisfy { ($0 - $1).magnitude <= 1e-4 * scale }, "image \(index)")
      if logits.indices.max(by: { logits[$0] < logits[$1] }) == Int(labels[index]) { correct += 1 }
    }
    #expect(Double(correct) / Double(labels.count) > 0.97)
  }

  /// Files that released versions wrote must be readable, and give the same, for ever.
  @Test(arguments: Fixtures.names(in: "format", suffix: ".sepal"))
  func frozenFilesStillGiveTheRecordedOutputs(name: String) throws {
    let file = try ModelFile(path: Fixtures.path("format/\(name).sepal"))
    let image = try #require(try NumpyFile.read(path: Fixtures.path("digits/one_image.npy"))[""])
    let recorded = try #require(try NumpyFile.read(path: Fixtures.path("digits/logits.npy"))[""]).doubles()
    let logits = try #require(try file.run(["image": image]).first).tensor.doubles()
    let tolerance = name.hasSuffix("f16") ? 1e-2 : 1e-4
    let scale = recorded[..<10].map(\.magnitude).max() ?? 0
    #expect(zip(logits, recorded).allSatisfy { ($0 - $1).magnitude <= tolerance * scale })
    #expect(file.graph.provenance.rewrites.count > 20)
    // All but the change of layout at the input stand for a tensor of the source.
    #expect(
      file.graph.nodes.count { !file.graph.value($0.output).origins.isEmpty } >= file.graph.nodeCount - 1)
  }

  @Test func thereAreFrozenFiles() { #expect(Fixtures.names(in: "format", suffix: ".sepal").count >= 3) }

  struct Cost: Decodable {
    var macs: Int
    var parameters: Int
  }

  @Test func costsAreThePublishedOnesToTheLastDigit() throws {
    let costs: [String: Cost] = try Fixtures.json("costs/costs.json")
    #expect(costs.count >= 6)
    for (name, cost) in costs {
      let inspection = try Inspection(ModelFile(path: Fixtures.path("costs/\(name).onnx")))
      #expect(inspection.totals.macs == cost.macs, "\(name)")
      #expect(inspection.totals.parameters == cost.parameters, "\(name)")
      #expect(inspection.layers.reduce(0) { $0 + $1.macs } == cost.macs, "\(name)")
    }
  }

  @Test func drawingsNameEveryNode() throws {
    let graph = try ModelFile(path: Fixtures.path("digits/digits.onnx")).graph
    let dot = graph.dot
    #expect(dot.hasPrefix("digraph ") && dot.hasSuffix("}"))
    for node in graph.nodes { #expect(dot.contains("n\(node.id.index) [label=")) }
  }
}
