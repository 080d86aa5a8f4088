import Foundation
import SepalGraph
import SepalKeras
import SepalONNX
import SepalPasses
import SepalRuntime
import SepalTensor
import SepalValidation
import SepalZip
import Testing

/// Networks of keras.applications: small ones that are committed, and those of full size in the folder that
/// `SEPAL_KERAS_MODELS` names (`make keras-models`).
struct ApplicationTests {
  static let small = Application.all(in: "keras")
  static let fullSize =
    ProcessInfo.processInfo.environment["SEPAL_KERAS_MODELS"].map(Application.all) ?? []
  static let applications = small + fullSize

  @Test func thereAreNetworks() { #expect(Self.small.count > 50) }

  @Test(arguments: applications)
  func networksGiveTheRecordedOutputs(application: Application) throws {
    let (inputs, expected) = try application.model.arrays(in: application.folder)
    var graph = try application.imported()
    #expect(graph.provenance.sourceParameterCount == application.model.parameters)
    try compare(try run(graph, application, inputs), expected, "as imported")
    try optimize(&graph)
    try compare(try run(graph, application, inputs), expected, "optimised")
  }

  @Test(arguments: applications.filter { $0.model.onnx != nil })
  func kerasAndItsExportAreOneNetwork(application: Application) throws {
    var graph = try application.imported()
    var export = try application.export()
    try optimize(&graph)
    try optimize(&export)
    #expect(graph.nodeCount <= export.nodeCount)
    let comparison = StructureComparison(graph, export, tolerance: 1e-5)
    let differences = comparison.differences.prefix(5).map { "\($0.message): \($0.first) \($0.second)" }
    #expect(comparison.isSameStructure, "\(differences.joined(separator: "\n"))")
    #expect(comparison.weightDifferences.isEmpty, "\(comparison.weightDifferences.prefix(5))")
  }

  @Test(arguments: applications.filter { $0.model.family == "MobileNetV3" })
  func squeezeExcitationIsRecognised(application: Application) throws {
    var graph = try application.imported()
    try optimize(&graph)
    let operators = Dictionary(grouping: graph.nodes, by: \.op.name).mapValues(\.count)
    let isMinimalistic = application.model.name.contains("minimalistic")
    #expect((operators["SqueezeExcite"] != nil) == !isMinimalistic, "\(operators)")
    #expect(operators["Transpose"] == nil, "\(operators)")
  }

  private func optimize(_ graph: inout Graph) throws { _ = try Optimizer().run(&graph) }

  /// By the reference, or where that would take minutes, by the runtime.
  private func run(
    _ graph: Graph, _ application: Application, _ inputs: [String: Tensor]
  ) throws -> [String: Tensor] {
    application.isSmall ? try graph.evaluate(inputs) : try Model(graph).makeSession().run(inputs: inputs)
  }

  private func compare(_ actual: [String: Tensor], _ expected: [String: Tensor], _ what: String) throws {
    #expect(Set(actual.keys) == Set(expected.keys), "\(what)")
    for (name, tensor) in expected {
      let output = try #require(actual[name])
      let error = difference(output, tensor) ?? .infinity
      #expect(error < 1e-4, "\(what): '\(name)' is \(output.type), expected \(tensor.type); error \(error)")
    }
  }
}

/// A recorded network and where it lies.
struct Application: Sendable, CustomTestStringConvertible {
  var folder: String
  var model: RecordedModel
  var isSmall: Bool { folder == "keras" }
  var testDescription: String { model.name }

  static func all(in folder: String) -> [Application] {
    RecordedModel.all(in: folder).map { Application(folder: folder, model: $0) }
  }

  func imported() throws -> Graph {
    let shapes = try model.arrays(in: folder).inputs.mapValues(\.shape)
    return try withFiles { files in try model.load(from: files, shapes: shapes).graph }
  }

  /// What tf2onnx made of it.
  func export() throws -> Graph {
    let shapes = try model.arrays(in: folder).inputs.mapValues(\.shape)
    return try withFiles { files in
      let path = Fixtures.path("\(files)/\(try #require(model.onnx))")
      return try ONNXImporter(.init(shapes: shapes)).load(path: path).graph
    }
  }

  /// Hands over the folder that holds the files, unpacked where they are archived.
  private func withFiles<Result>(_ body: (String) throws -> Result) throws -> Result {
    guard let archive = model.archive else { return try body(folder) }
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
      "sepal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let zip = try ZipArchive(try TensorStorage.mapping(path: Fixtures.path("\(folder)/\(archive)")))
    for name in [model.file, model.weights, model.onnx].compactMap(\.self) {
      let target = scratch.appendingPathComponent(name)
      if let member = zip[name] {
        let (storage, range) = try zip.contents(of: member)
        try withExtendedLifetime(storage) { try Data(storage.bytes[range]).write(to: target) }
      } else {
        let source = URL(fileURLWithPath: Fixtures.path("\(folder)/\(name)"))
        try FileManager.default.copyItem(at: source, to: target)
      }
    }
    return try body(scratch.path)
  }
}
