import Sepal

/// A report on separable convolutions, for people.
struct SeparableText {
  private let report: SeparableReport
  private let model: String
  private let listsAll: Bool
  /// Of more kept layers than this only a summary is printed.
  private static let mostKept = 16

  init(_ report: SeparableReport, model: String, listsAll: Bool) {
    (self.report, self.model, self.listsAll) = (report, model, listsAll)
  }

  var text: String {
    let kept = report.layers.filter { $0.verdict == "keep" }
    let isShort = listsAll || kept.count <= Self.mostKept
    let listed = isShort ? report.layers : report.layers.filter { $0.verdict != "keep" }
    var lines = [summary]
    if !listed.isEmpty { lines.append(table(listed).text) }
    if !isShort { lines += summaries(kept) }
    return (lines + [network].compactMap { $0 }).joined(separator: "\n")
  }

  private var summary: String {
    let names = Set(report.layers.map(\.name))
    let rewritten = report.layers.filter { $0.verdict == "rewrite" }.count
    let (depthwise, products) = (report.network.depthwise, report.network.products)
    let others = [
      depthwise > 0 ? "\(depthwise) depthwise" : nil, products > 0 ? "\(products) 1×1 or dense" : nil,
    ].compactMap { $0 }
    let beside = others.isEmpty ? "" : "; beside \(others.joined(separator: ", "))"
    return "\(model): \(counted(names.count, "standard convolution")), \(rewritten) to rewrite\(beside)"
  }

  private var network: String? {
    let network = report.network
    guard network.macs != network.macsAfter || network.measuredMs != nil else { return nil }
    var parts = ["\(grouped(network.macs)) → \(grouped(network.macsAfter)) MACs"]
    if let before = network.ms, let after = network.msAfter {
      parts.append("\(fixed(before, 3)) → \(fixed(after, 3)) ms predicted")
    }
    if let before = network.measuredMs, let after = network.measuredMsAfter {
      parts.append("\(fixed(before, 3)) → \(fixed(after, 3)) ms measured")
    }
    return "network: \(parts.joined(separator: ", "))"
  }

  private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  /// A line for each kind of reason.
  private func summaries(_ kept: [SeparableReport.Layer]) -> [String] {
    let refused = kept.filter { $0.relError == nil }
    let found = kept.filter { $0.relError != nil }
    let errors = found.compactMap(\.relError).sorted()
    var lines: [String] = []
    if let least = errors.first, let most = errors.last {
      lines.append(
        "keep \(found.count): the nearest that is cheaper is \(fixed(least * 100, 1))% to \(fixed(most * 100, 1))% off"
      )
    }
    let reasons = Dictionary(grouping: refused, by: \.reason).sorted { $0.key < $1.key }
    lines += reasons.map { "keep \($0.value.count): \($0.key)" }
    return lines + ["--all lists them"]
  }

  private func table(_ layers: [SeparableReport.Layer]) -> TextTable {
    let hasTimes = layers.contains { $0.ms != nil }
    let hasMeasures = layers.contains { $0.measuredMs != nil }
    let hasExpected = layers.contains { $0.expectedError != nil }
    let hasBounds = layers.contains { $0.outputBounds != nil }
    var columns: [(String, TextTable.Alignment)] = [
      ("layer", .left), ("kernel", .left), ("structure", .left), ("rank", .right), ("error", .right),
    ]
    if hasExpected { columns.append(("on samples", .right)) }
    if hasBounds { columns.append(("bound", .right)) }
    columns += [("MACs", .right), ("after", .right)]
    if hasTimes { columns += [("ms", .right), ("after", .right)] }
    if hasMeasures { columns += [("measured", .right), ("after", .right), ("of predicted", .right)] }
    columns += [("verdict", .left), ("reason", .left)]
    var table = TextTable(columns)
    for layer in layers {
      var row = [
        layer.name, layer.kernel, layer.structure.isEmpty ? "-" : layer.structure,
        rank(layer), layer.relError.map(scientific) ?? "",
      ]
      if hasExpected { row.append(layer.expectedError.map(scientific) ?? "") }
      if hasBounds { row.append(layer.outputBounds?.max().map(scientific) ?? "") }
      row += [grouped(layer.macs), layer.macsAfter.map(grouped) ?? ""]
      if hasTimes { row += [milliseconds(layer.ms), milliseconds(layer.msAfter)] }
      if hasMeasures {
        row += [
          milliseconds(layer.measuredMs), milliseconds(layer.measuredMsAfter),
          [share(layer.measuredMs, layer.ms), share(layer.measuredMsAfter, layer.msAfter)].compactMap { $0 }
            .joined(separator: ", "),
        ]
      }
      table.add(row + [layer.verdict, layer.reason])
    }
    return table
  }

  /// The mean, and least and most, where channels differ.
  private func rank(_ layer: SeparableReport.Layer) -> String {
    guard let ranks = layer.ranks, let least = ranks.min(), let most = ranks.max() else {
      return layer.rank.map(String.init) ?? ""
    }
    return "\(fixed(Double(ranks.reduce(0, +)) / Double(ranks.count), 1)) (\(least)–\(most))"
  }

  private func milliseconds(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "" }

  private func share(_ measured: Double?, _ predicted: Double?) -> String? {
    guard let measured, let predicted, predicted > 0 else { return nil }
    return "\(fixed(measured / predicted * 100, 0))%"
  }
}
