import Foundation
import Sepal
import SepalKeras
import SepalONNX
import Testing

/// The tables of README.md come from the registries and the passes' own comments. `make readme` writes them anew.
struct ReadmeTests {
  private static let root = Fixtures.folder.deletingLastPathComponent()
  private let path = root.appendingPathComponent("README.md")

  @Test func tablesAreThoseOfTheRegistries() throws {
    let update = ProcessInfo.processInfo.environment["SEPAL_UPDATE_README"] != nil
    var readme = try String(contentsOf: path, encoding: .utf8)
    for (name, table) in [("operators", operators), ("keras", keras), ("passes", try passes())] {
      let start = try #require(readme.range(of: "<!-- \(name):begin -->\n")).upperBound
      let stop = try #require(readme.range(of: "<!-- \(name):end -->")).lowerBound
      if update {
        readme.replaceSubrange(start..<stop, with: table)
      } else {
        #expect(String(readme[start..<stop]) == table, "README.md is older than the sources: run make readme")
      }
    }
    if update { try readme.write(to: path, atomically: true, encoding: .utf8) }
  }

  private var operators: String {
    let onnx = ONNXImporter.supportedOperators
    var lines = [
      "ONNX operators that are read (\(onnx.count)), opset \(ONNXImporter.oldestOpset) and newer:", "",
      onnx.map { "`\($0)`" }.joined(separator: ", ") + ".", "",
      "Operators of the graph (\(OperatorRegistry.all.count)), each with shape inference and a reference evaluation:",
      "", "| operator | inputs | attributes |", "|---|---|---|",
    ]
    for type in OperatorRegistry.all {
      let schema = type.schema
      let inputs = schema.inputs.map { $0.isOptional ? "[\($0.name)]" : $0.name }.joined(separator: ", ")
      let attributes = schema.attributes.map(\.name).joined(separator: ", ")
      lines.append("| `\(schema.name)` | \(inputs)\(schema.isVariadic ? " …" : "") | \(attributes) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var keras: String {
    func list(_ title: String, _ names: [String]) -> [String] {
      ["\(title) (\(names.count)):", "", names.map { "`\($0)`" }.joined(separator: ", ") + ".", ""]
    }
    let operations = KerasImporter.supportedOperations
    let isModern = { (name: String) in name.first?.isUppercase == true }
    let lines =
      list("Layers", KerasImporter.supportedLayers)
      + list("Activation functions", KerasImporter.supportedActivations)
      + list("Operations between layers, Keras 3", operations.filter(isModern))
      + list("Operations between layers, TensorFlow", operations.filter { !isModern($0) })
    return lines.dropLast().joined(separator: "\n") + "\n"
  }

  /// The first sentence of each pass's comment, in pipeline order.
  private func passes() throws -> String {
    let folder = Self.root.appendingPathComponent("Sources/SepalPasses")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    var summaries: [String: String] = [:]
    for case let file as URL in files where file.pathExtension == "swift" {
      let lines = try String(contentsOf: file, encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false)
      guard
        let name = lines.first(where: { $0.contains("static let name = \"") })?.split(separator: "\"")
          .dropFirst().first
      else { continue }
      let comment = lines.drop { !$0.hasPrefix("///") }.prefix { $0.hasPrefix("/// ") }.map {
        $0.dropFirst(4)
      }
      let text = comment.joined(separator: " ")
      summaries[String(name)] = text.range(of: ". ").map { String(text[..<$0.lowerBound]) + "." } ?? text
    }
    let rows = try Optimizer.passNames.map { name in
      "| `\(name)` | \(try #require(summaries[name], "\(name) has no comment")) |"
    }
    return (["| pass | what it does |", "|---|---|"] + rows).joined(separator: "\n") + "\n"
  }
}
