import Foundation
import SepalONNX
import SepalTensor
import Testing

/// Model files written by the ONNX library and damaged by hand.
@Suite struct FixtureFileTests {
  static func root(_ folder: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../fixtures/\(folder)").standardizedFileURL
  }

  static func models(in folder: String) -> [String] {
    let root = root(folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.filter { $0.hasSuffix(".onnx") }.sorted().map { root.appendingPathComponent($0).path }
  }

  @Test(arguments: models(in: "traps")) func everyTrapIsAReadableFile(_ path: String) throws {
    let model = try ONNXModel(contentsOf: path)
    #expect(!model.opsets.isEmpty)
    for initializer in model.graph.initializers { #expect(try initializer.tensor().count >= 0) }
    for node in model.graph.nodes {
      for (name, attribute) in node.attributes {
        guard case .tensor(let tensor) = attribute else { continue }
        #expect(try tensor.tensor().count >= 0, "\(node.label) \(name)")
      }
    }
  }

  /// Many of these are good files with bad models; what the reader does refuse must be refused in words that
  /// help.
  @Test func everyBrokenFileIsReadOrRefusedInTheRightWords() throws {
    let index = Self.root("broken").appendingPathComponent("broken.json")
    let words = try JSONDecoder().decode([String: [String]].self, from: Data(contentsOf: index))
    #expect(!words.isEmpty)
    for (file, words) in words {
      do {
        let model = try ONNXModel(contentsOf: Self.root("broken").appendingPathComponent(file).path)
        for initializer in model.graph.initializers { _ = try initializer.tensor() }
      } catch {
        let text = "\(error)".lowercased()
        #expect(!text.contains("\n"), "\(file)")
        for word in words { #expect(text.contains(word.lowercased()), "\(file): \(error)") }
      }
    }
  }
}
