import Foundation
import Sepal
import Testing

/// Broken models are refused in words that name the culprit.
struct BrokenModelTests {
  @Test func everyBrokenModelIsRefusedByName() throws {
    let broken: [String: [String]] = try Fixtures.json("broken/broken.json")
    #expect(broken.count > 40)
    for (name, words) in broken {
      let error = #expect(throws: SepalError.self, "\(name)") {
        try ModelFile(path: Fixtures.path("broken/\(name)"))
      }
      #expect(error?.code == .badData, "\(name): \(String(describing: error))")
      let text = error?.description.lowercased() ?? ""
      for word in words { #expect(text.contains(word.lowercased()), "\(name): \(text)") }
      #expect(!text.contains("\n"), "\(name)")
    }
  }

  @Test func missingFilesAndFoldersAreToldApart() throws {
    let missing = #expect(throws: SepalError.self) { try ModelFile(path: "/nonexistent.onnx") }
    #expect(missing?.code == .missingFile)
    let folder = #expect(throws: SepalError.self) { try ModelFile(path: Fixtures.folder.path) }
    #expect(folder?.code == .inaccessible)
  }

  @Test func aFailedConversionLeavesNoFile() throws {
    let file = ScratchFile()
    #expect(throws: SepalError.self) {
      try Converter().convert(Fixtures.path("broken/cycle.onnx"), to: file.path)
    }
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }
}
