import Foundation
import SepalONNX
import SepalTensor
import Testing

/// Model files written by the ONNX library and damaged by hand.
@Suite struct FixtureFileTests {
  static func models(in folder: String) -> [String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../../fixtures/\(folder)"
    ).standardizedFileURL
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

  @Test(arguments: models(in: "broken")) func everyBrokenFileIsReadOrRefusedByName(_ path: String) {
    do {
      for initializer in try ONNXModel(contentsOf: path).graph.initializers { _ = try initializer.tensor() }
    } catch {
      let text = "\(error)"
      #expect(!text.isEmpty && !text.contains("\n"))
    }
  }
}
