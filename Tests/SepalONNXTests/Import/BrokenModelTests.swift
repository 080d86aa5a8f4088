import Foundation
import SepalONNX
import Testing

/// `fixtures/broken`: files with one fault each, and words that the error must have.
@Suite struct BrokenModelTests {
  static let folder = fixtures("broken")
  static let words: [String: [String]] = {
    guard let data = FileManager.default.contents(atPath: "\(folder)/broken.json") else { return [:] }
    return (try? JSONDecoder().decode([String: [String]].self, from: data)) ?? [:]
  }()

  @Test func thereAreBrokenModels() { #expect(Self.words.count > 40) }

  @Test(arguments: words.keys.sorted()) func theErrorSaysWhatIsWrong(name: String) throws {
    let error = try #require(throws: ONNXError.self) {
      try ONNXImporter().load(path: "\(Self.folder)/\(name)")
    }
    #expect(error.description.hasPrefix("\(Self.folder)/\(name): "))
    let text = error.description.lowercased()
    for word in Self.words[name] ?? [] { #expect(text.contains(word.lowercased()), "\(error)") }
  }
}
