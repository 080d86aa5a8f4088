import Foundation
import Sepal
import Testing

/// Formats are told by what files hold.
struct ModelFileTests {
  private static let layers = "keras_layers/"

  static let formats: [(file: String, weights: String?, format: ModelFile.Format)] = [
    ("digits/digits.onnx", nil, .onnx), ("format/digits_v1.0_compact.sepal", nil, .sepal),
    (layers + "batch_norm.k3.keras", nil, .keras), (layers + "batch_norm.k2.h5", nil, .keras),
    (layers + "conv1d.k3.json", layers + "conv1d.k3.weights.h5", .keras),
  ]

  @Test(arguments: formats)
  func theFormatIsToldByTheBytes(file: String, weights: String?, format: ModelFile.Format) throws {
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

  @Test(arguments: ["", " \n\t", "\u{FEFF}", "\u{FEFF}\r\n"])
  func spaceBeforeAnArchitectureIsSkipped(space: String) throws {
    let file = ScratchFile(".json")
    let json = try String(contentsOfFile: Fixtures.path(Self.layers + "conv1d.k3.json"), encoding: .utf8)
    try (space + json).write(toFile: file.path, atomically: true, encoding: .utf8)
    let weights = Fixtures.path(Self.layers + "conv1d.k3.weights.h5")
    #expect(try ModelFile(path: file.path, weights: weights).format == .keras)
  }

  @Test func weightsAloneAskForTheArchitecture() {
    let path = Fixtures.path(Self.layers + "conv1d.k3.weights.h5")
    let error = #expect(throws: SepalError.self) { try ModelFile(path: path) }
    #expect(error?.code == .badData)
    #expect(error?.message.hasPrefix("\(path): holds weights only") == true, "\(String(describing: error))")
    #expect(error?.message.contains("--weights") == true)
  }

  @Test func anArchitectureAloneAsksForItsWeights() {
    let path = Fixtures.path(Self.layers + "conv1d.k3.json")
    let error = #expect(throws: SepalError.self) { try ModelFile(path: path) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("--weights") == true, "\(String(describing: error))")
  }

  @Test(arguments: ["digits/digits.onnx", "format/digits_v1.0_compact.sepal"])
  func weightsBesideAFormatThatHoldsItsOwnAreAMistake(file: String) {
    let weights = Fixtures.path(Self.layers + "conv1d.k3.weights.h5")
    let error = #expect(throws: SepalError.self) {
      try ModelFile(path: Fixtures.path(file), weights: weights)
    }
    #expect(error?.code == .usage)
  }

  @Test func errorsAboutTheWeightsNameTheirFile() {
    let model = Fixtures.path(Self.layers + "conv1d.k3.json")
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
