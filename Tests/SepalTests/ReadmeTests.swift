import Foundation
import Sepal
import SepalONNX
import Testing

/// The operator tables of README.md come from the registries. `make readme` writes them anew.
struct ReadmeTests {
  private let path = Fixtures.folder.deletingLastPathComponent().appendingPathComponent("README.md")
  private let begin = "<!-- operators:begin -->\n"
  private let end = "<!-- operators:end -->"

  @Test func operatorTablesAreThoseOfTheRegistries() throws {
    let readme = try String(contentsOf: path, encoding: .utf8)
    let start = try #require(readme.range(of: begin)).upperBound
    let stop = try #require(readme.range(of: end)).lowerBound
    if ProcessInfo.processInfo.environment["SEPAL_UPDATE_README"] != nil {
      try (readme[..<start] + tables + readme[stop...]).write(to: path, atomically: true, encoding: .utf8)
      return
    }
    #expect(String(readme[start..<stop]) == tables, "README.md is older than the registries: run make readme")
  }

  @Test func everyPassIsDescribed() throws {
    let readme = try String(contentsOf: path, encoding: .utf8)
    for pass in Optimizer.passNames { #expect(readme.contains("`\(pass)`"), "\(pass)") }
  }

  private var tables: String {
    let onnx = ONNXImporter.supportedOperators
    var lines = [
      "ONNX operators that are read (\(onnx.count)), opset \(ONNXImporter.oldestOpset) and newer:", "",
      onnx.map { "`\($0)`" }.joined(separator: ", ") + ".", "",
      "Operators of the graph (\(OperatorRegistry.all.count)), each with shape inference and a reference evaluation:", "",
      "| operator | inputs | attributes |", "|---|---|---|",
    ]
    for type in OperatorRegistry.all {
      let schema = type.schema
      let inputs = schema.inputs.map { $0.isOptional ? "[\($0.name)]" : $0.name }.joined(separator: ", ")
      let attributes = schema.attributes.map(\.name).joined(separator: ", ")
      lines.append("| `\(schema.name)` | \(inputs)\(schema.isVariadic ? " …" : "") | \(attributes) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
