import Sepal
import Testing

/// What was planted in the weights of a model is found, and the result computes what ONNX Runtime recorded for the model as
/// it was.
struct SeparableModelTests {
  struct Planted: Decodable {
    var structure: String?
    var rank: Int?
    /// By structure, of ranks 1, 2, …
    var errors: [String: [Double]]
  }

  static let names = Fixtures.names(in: "separable", suffix: ".onnx")

  private static func planted() throws -> [String: Planted] { try Fixtures.json("separable/separable.json") }

  @Test func thereAreModels() throws { #expect(try Self.planted().keys.sorted() == Self.names) }

  @Test(arguments: names)
  func theResultComputesTheSame(name: String) throws {
    let planted = try #require(try Self.planted()[name])
    let arrays = try NumpyFile.read(path: Fixtures.path("separable/\(name).npz"))
    let file = ScratchFile()
    let result = try Converter().convert(Fixtures.path("separable/\(name).onnx"), to: file.path)
    let records = result.graph.provenance.rewrites.filter { $0.pass == "separate-convolutions" }
    #expect(records.count == (planted.structure == nil ? 0 : 1))
    let input = try #require(arrays["x"])
    let expected = try #require(arrays["out:y"]).doubles()
    let actual = try #require(try ModelFile(path: file.path).run(["x": input]).first?.tensor).doubles()
    let scale = expected.reduce(0) { max($0, abs($1)) }
    #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
  }

  @Test(arguments: names)
  func theReportSaysWhatWasPlanted(name: String) throws {
    let planted = try #require(try Self.planted()[name])
    let file = try ModelFile(path: Fixtures.path("separable/\(name).onnx"))
    let report = try SeparableReport(file)
    let layer = try #require(report.layers.first)
    #expect(report.layers.count == 1)
    if let structure = planted.structure {
      #expect(layer.structure == structure && layer.rank == planted.rank && layer.verdict == "rewrite")
      #expect(try #require(layer.relError) < 1e-6)
    } else {
      #expect(layer.verdict == "keep")
    }
    // Errors that are rounding depend on who rounds.
    for spectrum in report.spectra {
      for (index, expected) in (planted.errors[spectrum.structure] ?? []).enumerated() where expected > 1e-5 {
        let error = spectrum.shares.dropFirst(index + 1).reduce(0, +).squareRoot()
        #expect(abs(error - expected) <= 0.01 * expected, "\(spectrum.structure), rank \(index + 1)")
      }
    }
  }

  @Test(arguments: names.filter { $0.hasPrefix("noise") })
  func theErrorOfAnApproximationIsNumPys(name: String) throws {
    let errors = try #require(try Self.planted()[name]).errors
    let file = try ModelFile(path: Fixtures.path("separable/\(name).onnx"))
    // One term is planted under the noise: what tells channels apart is noise.
    let structure = SeparableStructure.depthwisePointwise.rawValue
    let expected = try #require(errors[structure]?.first)
    var options = SeparableReport.Options()
    options.tolerance = expected * 1.02
    let layer = try #require(try SeparableReport(file, options).layers.first)
    #expect(layer.verdict == "rewrite" && layer.structure == structure && layer.rank == 1)
    #expect(abs(try #require(layer.relError) - expected) <= 0.01 * expected)
  }
}
