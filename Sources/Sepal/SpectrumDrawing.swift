#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The decay of singular values, a panel for each layer, as SVG or in a page of HTML.
public struct SpectrumDrawing: Sendable {
  private let report: SeparableReport
  private static let (width, height, columns, margin) = (220.0, 120.0, 4, 26.0)
  /// Decades of singular values that are drawn.
  private static let decades = 8.0
  private static let colors = [
    "depthwise, pointwise": "#2563eb", "pointwise, depthwise": "#d97706", "column, row": "#059669",
    "row, column": "#0891b2", "low rank": "#7c3aed",
  ]

  public init(_ report: SeparableReport) { self.report = report }

  public var html: String {
    """
    <!DOCTYPE html>
    <html><head><meta charset="utf-8"><title>Singular values</title></head>
    <body style="font-family: sans-serif"><h1>Singular values of each layer</h1>
    <p>The size of the part of each rank, relative to the weights, over the ranks; the lowest line is 1e-8.</p>
    \(svg)
    </body></html>

    """
  }

  public var svg: String {
    var panels: [(layer: String, kernel: String, spectra: [SeparableReport.Spectrum])] = []
    for spectrum in report.spectra {
      if panels.last?.layer != spectrum.layer { panels.append((spectrum.layer, spectrum.kernel, [])) }
      panels[panels.count - 1].spectra.append(spectrum)
    }
    let rows = max(1, (panels.count + Self.columns - 1) / Self.columns)
    let (width, height) = (Self.width * Double(Self.columns), Self.height * Double(rows) + 30)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(text(width)) \(text(height))\" width=\"\(text(width))\" font-family=\"sans-serif\" font-size=\"9\">"
    ]
    for (index, entry) in Self.colors.sorted(by: { $0.key < $1.key }).enumerated() {
      let x = 10 + 150 * Double(index)
      lines.append(
        "<rect x=\"\(text(x))\" y=\"8\" width=\"10\" height=\"10\" fill=\"\(entry.value)\"/><text x=\"\(text(x + 14))\" y=\"17\">\(entry.key)</text>"
      )
    }
    for (index, panel) in panels.enumerated() {
      let x = Self.width * Double(index % Self.columns)
      let y = 30 + Self.height * Double(index / Self.columns)
      lines.append("<g transform=\"translate(\(text(x)) \(text(y)))\">")
      lines += drawn(panel.layer, panel.kernel, panel.spectra)
      lines.append("</g>")
    }
    lines.append("</svg>")
    return lines.joined(separator: "\n")
  }

  private func drawn(
    _ layer: String, _ kernel: String, _ spectra: [SeparableReport.Spectrum]
  ) -> [String] {
    let (left, top) = (8.0, 24.0)
    let (width, height) = (Self.width - 2 * left, Self.height - Self.margin - 8)
    let name = layer.count > 30 ? "…" + layer.suffix(29) : layer
    var lines = [
      "<text x=\"\(text(left))\" y=\"10\">\(escaped(name))</text><text x=\"\(text(left))\" y=\"20\" fill=\"#666\">\(kernel)</text>",
      "<rect x=\"\(text(left))\" y=\"\(text(top))\" width=\"\(text(width))\" height=\"\(text(height - 10))\" fill=\"none\" stroke=\"#ccc\"/>",
    ]
    for spectrum in spectra {
      let last = Double(max(1, spectrum.shares.count - 1))
      let points = spectrum.shares.enumerated().map { rank, share in
        let depth = share > 0 ? min(Self.decades, max(0, -log10(share.squareRoot()))) : Self.decades
        return
          "\(text(left + width * Double(rank) / last)),\(text(top + (height - 10) * depth / Self.decades))"
      }
      let color = Self.colors[spectrum.structure] ?? "#000"
      lines.append(
        "<polyline fill=\"none\" stroke=\"\(color)\" points=\"\(points.joined(separator: " "))\"/>")
    }
    return lines
  }

  private func text(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
