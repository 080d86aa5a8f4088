import Foundation
import Sepal
import Testing

/// Fixtures go to ONNX and come back as the same network.
struct ONNXExportTests {
  /// Biases computed at run time are one operand of ONNX's and two of ours: they come back joined and cut apart again.
  static let exceptions: Set<String> = ["gru_dynamic_weights"]
  static let traps = Fixtures.names(in: "traps", suffix: ".onnx").filter { !exceptions.contains($0) }

  private func roundTrip(_ source: String, shapes: [String: [Int]] = [:]) throws -> ModelDifference {
    let file = ScratchFile(".onnx")
    var converter = Converter()
    converter.shapes = shapes
    // The first that has all of what the traps use.
    converter.onnx = ONNXExporter.Options()
    converter.onnx?.opset = 21
    let result = try converter.convert(source, to: file.path)
    #expect(result.report.bytesOut > 0)
    return try ModelDifference(ModelFile(path: source, shapes: shapes), ModelFile(path: file.path))
  }

  @Test(arguments: traps) func trapsComeBackAsTheSameNetwork(name: String) throws {
    let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
    let inputs = arrays.filter { !$0.key.hasPrefix("out:") }
    let difference = try roundTrip(Fixtures.path("traps/\(name).onnx"), shapes: inputs.mapValues(\.shape))
    #expect(difference.same, "\(difference.structure) \(difference.weights)")
  }

  @Test(arguments: exceptions) func exceptionsComputeTheSame(name: String) throws {
    let arrays = try NumpyFile.read(path: Fixtures.path("traps/\(name).npz"))
    let file = ScratchFile(".onnx")
    _ = try Converter().convert(Fixtures.path("traps/\(name).onnx"), to: file.path)
    let results = try ModelFile(path: file.path).graph.evaluate(arrays.filter { !$0.key.hasPrefix("out:") })
    for (name, tensor) in results {
      let expected = try #require(arrays["out:\(name)"])
      #expect(isClose(tensor, expected))
    }
  }

  /// Separable convolutions, exact and approximate, with samples and without: what is written as ONNX computes what the
  /// native file does.
  /// The first images of those that dense_cnn was trained on.
  private func writeSamples(_ count: Int, to path: String) throws {
    let images = try #require(try NumpyFile.read(path: Fixtures.path("dense_cnn/calibration.npz"))["image"])
    let size = images.shape.dropFirst().reduce(1, *)
    let first = Tensor(
      images.element, [count] + images.shape.dropFirst(),
      doubles: Array(images.doubles().prefix(count * size)))
    try NumpyFile.write([("image", first)], to: path)
  }

  @Test(arguments: [("exact", false), ("approx=0.3", false), ("approx=0.3", true)])
  func separableResultsAreExported(option: String, isCalibrated: Bool) throws {
    let models =
      isCalibrated
      ? ["dense_cnn/dense_cnn"]
      : ["dense_cnn/dense_cnn", "separable/noise_0p1", "separable/pwdw_rank2_5x5", "separable/dwpw_rank2_7"]
    var rewritten = 0
    for model in models {
      let source = Fixtures.path("\(model).onnx")
      let (native, onnx) = (ScratchFile(), ScratchFile(".onnx"))
      var converter = Converter()
      converter.optimization.separation = try #require(Separation(option))
      let samples = ScratchFile(".npz")
      if isCalibrated {
        try writeSamples(8, to: samples.path)
        converter.calibration = Calibration(path: samples.path)
      }
      let result = try converter.convert(source, to: native.path)
      converter.verifies = model.hasPrefix("separable")
      let exported = try converter.convert(source, to: onnx.path)
      #expect(((exported.report.verified ?? 0) > 0) == converter.verifies)
      rewritten += result.graph.provenance.rewrites.count { record in
        ["separate-convolutions", "approximate-conv-by-separable-terms"].contains(record.pass)
      }
      let (a, b) = (try ModelFile(path: native.path).graph, try ModelFile(path: onnx.path).graph)
      var random = SplitMix(state: 11)
      var inputs: [String: Tensor] = [:]
      for id in a.inputs {
        let type = a.type(of: id)
        let values = (0..<type.count).map { _ in Double.random(in: -1...1, using: &random) }
        inputs[a.value(id).name] = Tensor(type.element, type.shape, doubles: values)
      }
      let (wanted, found) = (try a.evaluate(inputs), try b.evaluate(inputs))
      for (name, tensor) in wanted {
        #expect(isClose(try #require(found[name]), tensor), "\(model) \(name)")
      }
    }
    #expect(rewritten > 0)
  }

  @Test func weightsThatOneFileCannotHoldAreTold() throws {
    let file = ScratchFile(".onnx")
    defer { try? FileManager.default.removeItem(atPath: file.path + ".data") }
    var converter = Converter()
    converter.onnx = ONNXExporter.Options()
    let source = Fixtures.path("digits/digits.onnx")
    let whole = try converter.convert(source, to: file.path).report.bytesOut
    converter.onnx?.messageLimit = whole - 1
    let result = try converter.convert(source, to: file.path)
    #expect(result.notes.contains { $0.contains("\(file.path).data") })
    #expect(try ModelDifference(ModelFile(path: source), ModelFile(path: file.path)).same)
    converter.onnx?.usesExternalData = true
    let asked = try converter.convert(source, to: file.path)
    #expect(!asked.notes.contains { $0.contains(".data") })
  }

  @Test(
    arguments: ["digits/digits.onnx"]
      + Fixtures.names(in: "costs", suffix: ".onnx").map { "costs/\($0).onnx" })
  func networksComeBackAsTheSameNetwork(name: String) throws {
    let difference = try roundTrip(Fixtures.path(name))
    #expect(difference.same, "\(difference.structure) \(difference.weights)")
  }

  @Test func nativeFilesAreExportedChannelsFirst() throws {
    let (native, onnx) = (ScratchFile(), ScratchFile(".onnx"))
    let source = Fixtures.path("digits/digits.onnx")
    _ = try Converter().convert(source, to: native.path)
    _ = try Converter().convert(native.path, to: onnx.path)
    let copy = try ModelFile(path: onnx.path)
    #expect(copy.graph.nodes.allSatisfy { !($0.op is Transpose) })
    #expect(try ModelDifference(ModelFile(path: source), copy).same)
  }

  @Test func optionsOfNativeFilesAreRefused() {
    var converters = [Converter](repeating: Converter(), count: 5)
    converters[0].precision = .f16
    converters[1].storage = .mmap
    converters[2].strips = true
    converters[3].golden = true
    converters[4].onnx = ONNXExporter.Options()
    converters[4].onnx?.opset = 12
    for converter in converters {
      let error = #expect(throws: SepalError.self) {
        try converter.convert(Fixtures.path("digits/digits.onnx"), to: ScratchFile(".onnx").path)
      }
      #expect(error?.code == .usage)
    }
  }
}

/// Within 1e-5 of the largest element.
private func isClose(_ actual: Tensor, _ expected: Tensor) -> Bool {
  let (a, b) = (actual.doubles(), expected.doubles())
  let largest = b.reduce(0) { max($0, $1.magnitude) }
  return actual.type == expected.type
    && zip(a, b).allSatisfy { ($0 - $1).magnitude <= 1e-5 * largest }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
