import Foundation
import Sepal
import SepalFormat
import Testing

/// The log in a file says what was made, so that what is not that any more is found, and how, so that it can be replayed.
struct RewriteLogTests {
  private static let sources =
    ["digits/digits.onnx", "dense_cnn/dense_cnn.onnx"]
    + TrapModelTests.names.map { "traps/\($0).onnx" }
    + SeparableModelTests.names.map { "separable/\($0).onnx" }

  private func converted(_ source: String) throws -> Graph {
    let file = ScratchFile()
    var converter = Converter()
    if source.hasPrefix("traps") {
      let arrays = try NumpyFile.read(
        path: Fixtures.path(source.replacingOccurrences(of: ".onnx", with: ".npz")))
      converter.shapes = arrays.filter { !$0.key.hasPrefix("out:") }.mapValues(\.shape)
    }
    _ = try converter.convert(Fixtures.path(source), to: file.path)
    return try ModelFile(path: file.path).graph
  }

  @Test func everyRewriteHasAWitnessAndEveryConstantIsThere() throws {
    var checked = 0
    for source in Self.sources {
      let graph = try converted(source)
      #expect(graph.provenance.rewrites.allSatisfy { $0.witness?.digest.count == 32 }, "\(source)")
      let constants = LoggedConstants(graph)
      checked += constants.checked
      #expect(constants.faults.isEmpty, "\(source): \(constants.faults)")
    }
    #expect(checked > 100)
  }

  @Test func theSameConversionHasTheSameWitnesses() throws {
    let logs = try (0..<2).map { _ in try converted("digits/digits.onnx").provenance.rewrites }
    #expect(logs[0] == logs[1])
  }

  /// One bit of one constant.
  @Test func theRewriteWhoseConstantWasChangedIsNamed() throws {
    let file = try converted("digits/digits.onnx")
    var named = 0
    for (index, record) in file.provenance.rewrites.enumerated() {
      guard let digest = record.witness?.constants.first else { continue }
      for value in file.values {
        guard let tensor = value.constant, tensor.element == .float32,
          WitnessRecorder.digest(of: tensor) == digest
        else { continue }
        var changed = file
        var floats = tensor.floats()
        floats[floats.count / 2] = Float(bitPattern: floats[floats.count / 2].bitPattern ^ 1)
        changed.replaceElements(of: value.id, by: Tensor(tensor.shape, floats: floats))
        let faults = LoggedConstants(changed).faults
        if faults.contains(where: { $0.index == index }) { named += 1 }
      }
    }
    #expect(named >= 3)
  }

  @Test func halfPrecisionIsNotTakenForAChange() throws {
    let file = ScratchFile()
    var converter = Converter()
    converter.precision = .f16
    _ = try converter.convert(Fixtures.path("digits/digits.onnx"), to: file.path)
    let constants = LoggedConstants(try ModelFile(path: file.path).graph)
    #expect(constants.checked == 0)
    #expect(constants.faults.isEmpty)
  }

  /// A bisection replays an approximated conversion by what the file says of it.
  @Test(arguments: ["exact", "approx=0.3", "off"])
  func whatWasAskedForIsReplayed(option: String) throws {
    let source = Fixtures.path("dense_cnn/dense_cnn.onnx")
    let file = ScratchFile()
    var converter = Converter()
    converter.optimization.separation = try #require(Separation(option))
    _ = try converter.convert(source, to: file.path)
    let converted = try ModelFile(path: file.path)
    #expect(converted.graph.provenance.separation == option)
    #expect(converted.graph.provenance.costUnit == "MACs")
    let weight = try #require(
      converted.graph.values.first { ($0.constant?.count ?? 0) > 1000 && $0.constant?.element == .float32 })
    let tensor = try #require(weight.constant)
    var graph = converted.graph
    graph.replaceElements(
      of: weight.id, by: Tensor(tensor.shape, floats: tensor.floats().map { -$0 }))
    let spoilt = ScratchFile()
    try SepalWriter().write(graph, to: spoilt.path)
    let report = try BisectionReport(
      ModelFile(path: source), ModelFile(path: spoilt.path), options: Validator.Options())
    #expect(report.finding == "file")
    #expect(report.faults.contains { $0.message.contains("not those in the file") })
    #expect(report.rewrites == graph.provenance.rewrites.count)
  }
}
