import ArgumentParser
import Sepal

struct Separable: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look for convolutions that can become separable, by their weights.",
    discussion:
      "The model is optimised first; it is not written. 'convert --separable' applies what is found.")

  @Argument(help: "The model: \(SourceOptions.formats).")
  var model: String

  @OptionGroup var source: SourceOptions

  @Option(
    help: "The relative error of the output that may be spent; without it only what is exact is chosen.")
  var tolerance: Double?

  @Option(help: "Draw the singular values of each layer: a file in .svg or .html.")
  var spectrum: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let tolerance, !(tolerance > 0 && tolerance < 1) {
      throw ValidationError("--tolerance is \(tolerance), expected more than 0 and less than 1")
    }
    if let spectrum, !spectrum.hasSuffix(".svg"), !spectrum.hasSuffix(".html") {
      throw ValidationError("--spectrum is \(spectrum), expected a file in .svg or .html")
    }
  }

  func run() throws {
    let report = try SeparableReport(source.load(model), tolerance: tolerance)
    if let spectrum {
      let drawing = SpectrumDrawing(report)
      try write(spectrum.hasSuffix(".svg") ? drawing.svg + "\n" : drawing.html, to: spectrum)
    }
    if json {
      try printJSON(report)
      return
    }
    let rewritten = report.layers.filter { $0.verdict == "rewrite" }.count
    let count = report.layers.count
    print("\(model): \(count) standard convolution\(count == 1 ? "" : "s"), \(rewritten) to rewrite")
    if count > 0 { print(table(report).text) }
  }

  private func table(_ report: SeparableReport) -> TextTable {
    var columns: [(String, TextTable.Alignment)] = [
      ("layer", .left), ("kernel", .left), ("structure", .left), ("rank", .right), ("error", .right),
      ("MACs", .right), ("after", .right),
    ]
    let hasTimes = report.costUnit != "MACs"
    if hasTimes { columns += [(report.costUnit, .right), ("after", .right)] }
    columns += [("verdict", .left), ("reason", .left)]
    var table = TextTable(columns)
    for layer in report.layers {
      var row = [
        layer.name, layer.kernel, layer.structure.isEmpty ? "-" : layer.structure,
        layer.rank.map(String.init) ?? "", layer.relError.map(scientific) ?? "", grouped(layer.macs),
        layer.macsAfter.map(grouped) ?? "",
      ]
      if hasTimes { row += [fixed(layer.cost, 3), layer.costAfter.map { fixed($0, 3) } ?? ""] }
      table.add(row + [layer.verdict, layer.reason])
    }
    return table
  }
}
