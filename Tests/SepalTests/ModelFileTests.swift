import Foundation
import Sepal
import Testing

/// Formats are told by what files hold.
struct ModelFileTests {
  /// A model of `fixtures/keras_layers`, by the way it is stored.
  struct KerasModel: Decodable {
    var name, container, file: String
    var weights: String?
    var expect: String
  }

  private static func keras(_ container: String) throws -> (file: String, weights: String?) {
    let models = try Fixtures.json("keras_layers/index.json", as: [KerasModel].self)
    let model = models.first { model in
      model.container == container && model.expect == "match"
        && ["dense", "batch_norm", "many_layers"].contains { model.name.hasPrefix($0) }
    }
    let found = try #require(model, "no \(container)")
    return ("keras_layers/\(found.file)", found.weights.map { "keras_layers/\($0)" })
  }

  /// An architecture and its weights.
  private static func parts() throws -> (file: String, weights: String) {
    let (file, weights) = try keras("weights")
    return (Fixtures.path(file), Fixtures.path(try #require(weights)))
  }

  @Test(arguments: [
    ("digits/digits.onnx", ModelFile.Format.onnx), ("format/digits_v1.0_compact.sepal", .sepal),
    ("h5", .keras), ("keras", .keras), ("weights", .keras), ("weights3", .keras),
  ])
  func theFormatIsToldByTheBytes(source: String, format: ModelFile.Format) throws {
    let (file, weights) = format == .keras ? try Self.keras(source) : (source, nil)
    // Under a name that says nothing.
    let copy = ScratchFile(".model")
    try FileManager.default.copyItem(atPath: Fixtures.path(file), toPath: copy.path)
    let model = try ModelFile(path: copy.path, weights: weights.map(Fixtures.path))
    #expect(model.format == format)
    #expect(model.graph.nodeCount > 0)
    let size = try [file, weights].compactMap { $0 }.reduce(0) { sum, file in
      sum + (try Data(contentsOf: Fixtures.folder.appendingPathComponent(file))).count
    }
    #expect(model.byteCount == size)
  }

  @Test func theFilesOfAModelAreKnown() throws {
    let (model, weights) = try Self.parts()
    #expect(try ModelFile(path: model, weights: weights).sources == [model, weights])
    let digits = Fixtures.path("digits/digits.onnx")
    #expect(try ModelFile(path: digits).sources == [digits])
  }

  @Test(arguments: ["", " \n\t", "\u{FEFF}", "\u{FEFF}\r\n"])
  func spaceBeforeAnArchitectureIsSkipped(space: String) throws {
    let file = ScratchFile(".json")
    let (path, weights) = try Self.parts()
    let json = try String(contentsOfFile: path, encoding: .utf8)
    try (space + json).write(toFile: file.path, atomically: true, encoding: .utf8)
    #expect(try ModelFile(path: file.path, weights: weights).format == .keras)
  }

  @Test func weightsAloneAskForTheArchitecture() throws {
    let path = try Self.parts().weights
    let error = #expect(throws: SepalError.self) { try ModelFile(path: path) }
    #expect(error?.code == .badData)
    #expect(error?.message.hasPrefix("\(path): holds weights only") == true, "\(String(describing: error))")
    #expect(error?.message.contains("--weights") == true)
  }

  @Test func anArchitectureAloneAsksForItsWeights() throws {
    let path = try Self.parts().file
    let error = #expect(throws: SepalError.self) { try ModelFile(path: path) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("--weights") == true, "\(String(describing: error))")
  }

  @Test(arguments: ["digits/digits.onnx", "format/digits_v1.0_compact.sepal"])
  func weightsBesideAFormatThatHoldsItsOwnAreAMistake(file: String) throws {
    let weights = try Self.parts().weights
    let error = #expect(throws: SepalError.self) {
      try ModelFile(path: Fixtures.path(file), weights: weights)
    }
    #expect(error?.code == .usage)
  }

  @Test func errorsAboutTheWeightsNameTheirFile() throws {
    let model = try Self.parts().file
    let missing = #expect(throws: SepalError.self) { try ModelFile(path: model, weights: "/nowhere/w.h5") }
    #expect(missing?.code == .missingFile)
    #expect(missing?.message.hasPrefix("/nowhere/w.h5: ") == true)
    let other = Fixtures.path("digits/digits.onnx")
    let wrong = #expect(throws: SepalError.self) { try ModelFile(path: model, weights: other) }
    #expect(wrong?.code == .badData)
    #expect(wrong?.message.hasPrefix("\(other): ") == true)
  }

  @Test func anArchiveThatIsNoModelIsRefused() {
    let path = Fixtures.path("numpy/stored.npz")
    let error = #expect(throws: SepalError.self) { try ModelFile(path: path) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("config.json") == true)
  }
}
