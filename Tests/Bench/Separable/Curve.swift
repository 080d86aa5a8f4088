import Foundation

/// Points over tolerances, for each way to choose what is replaced.
struct Curve: Codable {
  struct Series: Codable {
    /// What the cost model counts.
    var cost: String
    /// Whether the fit is to samples, or to the weights alone.
    var usesSamples: Bool
    var points: [CurvePoint] = []
  }

  var model: String
  var original: CurvePoint
  var series: [Series] = []

  init(model: String, original: CurvePoint) { (self.model, self.original) = (model, original) }

  /// Accuracy over multiply-adds and over milliseconds, as an SVG.
  var drawing: String {
    let (width, height) = (760, 300)
    let panels = [
      Panel(left: 56, label: "accuracy over the share of multiply-adds", original: original) {
        Double($0.macs)
      },
      Panel(left: 436, label: "accuracy over the share of measured time", original: original) {
        $0.milliseconds
      },
    ]
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
        + "font-family=\"sans-serif\" font-size=\"11\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
    ]
    for panel in panels {
      lines += panel.axes
      for one in series {
        lines += panel.series(
          one.points, color: one.usesSamples ? "#2166ac" : "#b35806",
          shape: one.usesSamples ? .circle : .square, isDashed: one.cost == "ms")
      }
    }
    lines += [
      "<rect x=\"56\" y=\"8\" width=\"9\" height=\"9\" fill=\"#b35806\"/><text x=\"70\" y=\"17\">fitted to the weights</text>",
      "<circle cx=\"204\" cy=\"13\" r=\"5\" fill=\"#2166ac\"/><text x=\"214\" y=\"17\">fitted to the weights and samples</text>",
      "<text x=\"436\" y=\"17\">line: chosen by multiply-adds; dashed: by predicted time</text>",
      "</svg>",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}

/// One diagram: accuracy upwards, a share of what the original takes to the right.
private struct Panel {
  enum Shape { case circle, square }

  let left: Double
  let label: String
  let original: CurvePoint
  let amount: (CurvePoint) -> Double
  private static let (width, top, bottom) = (290.0, 36.0, 250.0)

  private func x(_ share: Double) -> Double { left + Self.width * min(1.1, share) / 1.1 }
  private func y(_ accuracy: Double) -> Double { Self.bottom - (Self.bottom - Self.top) * accuracy }

  var axes: [String] {
    var lines: [String] = []
    for tenth in stride(from: 0, through: 10, by: 2) {
      let share = Double(tenth) / 10
      lines.append(line(x(share), Self.top, x(share), Self.bottom, "#dddddd"))
      lines.append(line(left, y(share), left + Self.width, y(share), "#dddddd"))
      lines.append(text(x(share), Self.bottom + 16, "\(tenth * 10)%", "middle"))
      lines.append(text(left - 6, y(share) + 4, "\(tenth * 10)%", "end"))
    }
    lines.append(text(left + Self.width / 2, Self.bottom + 36, label, "middle"))
    return lines
  }

  func series(_ points: [CurvePoint], color: String, shape: Shape, isDashed: Bool) -> [String] {
    let places = ([original] + points).map {
      (x: x(amount($0) / amount(original)), y: y($0.accuracy))
    }
    let path = places.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    let marks = places.map { place in
      shape == .circle
        ? "<circle cx=\"\(number(place.x))\" cy=\"\(number(place.y))\" r=\"4\" fill=\"\(color)\"/>"
        : "<rect x=\"\(number(place.x - 3.5))\" y=\"\(number(place.y - 3.5))\" width=\"7\" height=\"7\" fill=\"\(color)\"/>"
    }
    let dashes = isDashed ? " stroke-dasharray=\"4 3\"" : ""
    return ["<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\"\(dashes)/>"]
      + marks
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\"/>"
  }

  private func text(_ x: Double, _ y: Double, _ content: String, _ anchor: String) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
  }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
