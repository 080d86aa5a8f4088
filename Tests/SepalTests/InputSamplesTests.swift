import Foundation
import Sepal
import Testing

/// Samples from files: one or many, in every form that the command line takes.
struct InputSamplesTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "sepal-\(UUID().uuidString)")

  private func model() -> Graph {
    var graph = Graph(name: "sum")
    let a = graph.addInput("a", TensorType(.float32, [1, 2]))
    let b = graph.addInput("b", TensorType(.float32, [1, 2]))
    if let y = try? graph.add(Add(), name: "y", inputs: [a, b]) { graph.addOutput("y", y[0]) }
    return graph
  }

  /// A TensorProto of float32 elements, written by hand.
  private func tensorFile(_ values: [Float], name: String) -> Data {
    var data = Data([8, 1, 8, UInt8(values.count), 16, 1])
    data += [66, UInt8(name.utf8.count)] + Array(name.utf8)
    data += [74, UInt8(4 * values.count)]
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data += Array($0) } }
    return data
  }

  private func write(_ data: Data, _ path: String) throws {
    let url = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  @Test func dataSetsAreReadByNameElseInOrder() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    for set in [0, 2, 10] {
      try write(tensorFile([1, Float(set)], name: set == 2 ? "b" : ""), "test_data_set_\(set)/input_0.pb")
      try write(tensorFile([5, 6], name: set == 2 ? "a" : ""), "test_data_set_\(set)/input_1.pb")
    }
    let samples = try InputSamples([folder.path], for: model())
    #expect(samples.count == 3)
    #expect(try samples.sample(1).name.hasSuffix("test_data_set_2"))
    #expect(try samples.sample(2).inputs["a"]?.floats() == [1, 10])
    #expect(try samples.sample(1).inputs["a"]?.floats() == [5, 6])
    #expect(try samples.sample(1).inputs["b"]?.floats() == [1, 2])
    let one = try InputSamples([folder.appendingPathComponent("test_data_set_10").path], for: model())
    #expect(one.count == 1)
    #expect(try one.sample(0).inputs["b"]?.floats() == [5, 6])
  }

  @Test func brokenDataSetsAreNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write(tensorFile([1, 2], name: "a"), "test_data_set_0/input_0.pb")
    let samples = try InputSamples([folder.path], for: model())
    let missing = #expect(throws: SepalError.self) { try samples.sample(0) }
    #expect(missing?.message.contains("input_1.pb") == true)
    let good = tensorFile([1, 2], name: "b")
    for count in 0..<good.count {
      try write(good.prefix(count), "test_data_set_0/input_1.pb")
      #expect(throws: SepalError.self) { try samples.sample(0) }
    }
    try write(tensorFile([1, 2, 3], name: "b"), "test_data_set_0/input_1.pb")
    let shape = #expect(throws: SepalError.self) { try samples.sample(0) }
    #expect(shape?.message.contains("'b'") == true)
    try write(good, "test_data_set_0/input_1.pb")
    #expect(try samples.sample(0).inputs.count == 2)
  }

  @Test func anArrayHoldsManySamples() throws {
    let graph = try ModelFile(path: Fixtures.path("digits/digits.onnx")).graph
    let samples = try InputSamples([Fixtures.path("digits/images.npy")], for: graph)
    #expect(samples.count > 10)
    #expect(try samples.sample(3).inputs["image"]?.shape.first == 1)
    let report = try Validator(original: graph, converted: graph).run(samples: 5) {
      (index) throws(ComparisonError) in
      guard let sample = try? samples.sample(index) else { throw ComparisonError("no sample") }
      return sample
    }
    #expect(report.isEquivalent)
    #expect(report.samples.count == 5)
    #expect(report.samples.last?.hasSuffix("images.npy[4]") == true)
  }

  @Test func aFolderOfImagesIsManySamples() throws {
    var graph = Graph(name: "copy")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 8, 3]))
    if let y = try? graph.add(Identity(), name: "y", inputs: [x]) { graph.addOutput("y", y[0]) }
    let folder = Fixtures.path("images")
    let samples = try InputSamples([folder], for: graph, preprocessing: .raw)
    #expect(samples.count == 19)
    #expect(try samples.sample(0).name == "\(folder)/alpha.png")
    #expect(try samples.sample(0).inputs["x"]?.shape == [1, 8, 8, 3])
    // In four colours: named, and not read.
    let error = #expect(throws: SepalError.self) { try samples.sample(1) }
    #expect(error?.message.contains("cmyk.jpg") == true)
    let unsaid = try InputSamples(["\(folder)/rgb.png"], for: graph, preprocessing: .unit)
    #expect(unsaid.count == 1)
    let recipe = #expect(throws: SepalError.self) { try InputSamples(["\(folder)/rgb.png"], for: graph) }
    #expect(
      recipe?.message.contains("--preprocess") == true && recipe?.message.contains("torchvision:") == true)
  }

  @Test func approximationsAreFittedToImages() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["alpha.png", "rgb.png"] {
      try write(try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("images/\(name)"))), name)
    }
    var graph = Graph(name: "half")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 8, 3]))
    let y = try graph.add(Neg(), name: "y", inputs: [x])[0]
    graph.addOutput("y", y)
    let samples = try InputSamples([folder.path], for: graph, preprocessing: .unit)
    var seen: [Int: [ValueID: Tensor]] = [:]
    try RuntimeActivations(samples).run(graph, observing: [x, y]) { seen[$0, default: [:]][$1] = $2 }
    #expect(seen.count == 2)
    for index in 0..<2 {
      let image = try #require(samples.sample(index).inputs["x"])
      #expect(seen[index]?[x]?.isIdentical(to: image) == true)
      #expect(seen[index]?[y]?.floats() == image.floats().map { -$0 })
    }
    try write(try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("images/cmyk.jpg"))), "cmyk.jpg")
    let broken = try InputSamples([folder.path], for: graph, preprocessing: .unit)
    let error = #expect(throws: CalibrationError.self) {
      try RuntimeActivations(broken).run(graph, observing: [x]) { _, _, _ in }
    }
    #expect(error?.description.contains("cmyk.jpg") == true)
  }
}
