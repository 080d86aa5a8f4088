import Sepal
import Testing

/// Each trap model goes the whole way: import, optimise, write, read, run. What it gives must be what ONNX Runtime
/// recorded for the file as it was.
struct TrapModelTests {
  struct Trap: Decodable {
    var about: String
    var gone: [String]
    var kept: [String]
  }

  static let names = Fixtures.names(in: "traps", suffix: ".npz")

  @Test func thereAreTraps() { #expect(Self.names.count > 300) }

  @Test(arguments: names)
  func convertedModelsGiveTheRecordedOutputs(name: String) throws {
    let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
    let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
    let file = ScratchFile()
    let graph = try convert(name, inputs, to: file)
    let outputs = try ModelFile(path: file.path).run(inputs)
    #expect(Set(outputs.map(\.name)) == Set(graph.outputs.map(\.name)))
    for (output, tensor) in outputs {
      let expected = try #require(arrays["out:\(output)"])
      #expect(tensor.type == expected.type, "\(output)")
      #expect(
        isClose(tensor, expected),
        "\(output): \(tensor.doubles().prefix(8)), expected \(expected.doubles().prefix(8))")
    }
  }

  @Test(arguments: names)
  func runtimeAgreesWithTheReferenceOfTheOriginal(name: String) throws {
    let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
    let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
    let file = ScratchFile()
    _ = try convert(name, inputs, to: file)
    let original = try ModelFile(path: Fixtures.path("traps/\(name).onnx"), shapes: inputs.mapValues(\.shape))
    let options = Validator.Options()
    let validator = try Validator(
      original: original.graph, converted: try ModelFile(path: file.path).graph, options: options)
    let report = try validator.run(inputs: inputs)
    for output in report.outputs { #expect(output.comparison.isWithinBound, "\(output)") }
    #expect(report.firstWrongStep == nil, "\(String(describing: report.firstWrongStep))")
    #expect(report.firstDivergence == nil, "\(String(describing: report.firstDivergence))")
  }

  @Test(arguments: names)
  func rewritesHappenWhereTheyAreValidAndOnlyThere(name: String) throws {
    let trap = try #require(try Self.traps()[name])
    let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
    let graph = try convert(name, arrays.filter { !$0.key.hasPrefix("out:") }, to: ScratchFile())
    let present = Set(graph.nodes.flatMap { Self.operators($0.op) })
    for op in trap.gone { #expect(!present.contains(op), "\(trap.about)\n\(graph)") }
    for op in trap.kept { #expect(present.contains(op), "\(trap.about)\n\(graph)") }
  }

  private static func traps() throws -> [String: Trap] { try Fixtures.json("traps/traps.json") }

  private func convert(_ name: String, _ inputs: [String: Tensor], to file: ScratchFile) throws -> Graph {
    var converter = Converter()
    converter.shapes = inputs.mapValues(\.shape)
    converter.optimization.verifyEachRewrite = true
    return try converter.convert(Fixtures.path("traps/\(name).onnx"), to: file.path).graph
  }

  /// What a node would be in ONNX, its fused activation included.
  private static func operators(_ op: any Operator) -> [String] {
    var names: [String]
    switch op {
    case is BatchNorm, is ScaleShift: names = ["BatchNormalization"]
    default: names = [op.name]
    }
    switch (op as? any ActivatedOperator)?.activation {
    case .hardSwish: names.append("HardSwish")
    case .gelu, .geluTanh: names.append("Gelu")
    case .hardSigmoid: names.append("HardSigmoid")
    default: break
    }
    return names
  }

  private func isClose(_ actual: Tensor, _ expected: Tensor) -> Bool {
    if !expected.element.isFloat { return actual.isIdentical(to: expected) }
    let (x, y) = (actual.doubles(), expected.doubles())
    let scale = y.filter(\.isFinite).map(\.magnitude).max() ?? 0
    return x.count == y.count
      && zip(x, y).allSatisfy { a, b in
        a.isNaN && b.isNaN || a == b || (a - b).magnitude <= 1e-6 + 1e-4 * scale
      }
  }
}
