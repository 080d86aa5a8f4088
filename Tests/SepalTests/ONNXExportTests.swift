import Foundation
import Sepal
import Testing

/// Fixtures go to ONNX and come back as the same network.
struct ONNXExportTests {
  /// An input that is an output, and a mean over nothing, come back as an Identity of their own; biases computed at run time
  /// are one operand of ONNX's; a Resize that keeps the aspect ratio needs a policy that is not written.
  static let exceptions: Set<String> = [
    "gru_dynamic_weights", "input_is_output", "reduce_mean_no_axes", "resize_not_larger",
    "resize_not_smaller",
  ]
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
