import SepalGraph

extension Graph {
  /// The graph in Graphviz' DOT language: operators as boxes, values as edges labelled with their shapes.
  public var dot: String {
    var lines = ["digraph \"\(Self.escape(name))\" {", "  node [shape=box, fontname=\"Helvetica\"];"]
    func source(_ id: ValueID) -> String { producer(of: id).map { "n\($0.id.index)" } ?? "v\(id.index)" }
    for input in inputs {
      lines.append("  v\(input.index) [shape=ellipse, label=\"\(Self.escape(value(input).name))\"];")
    }
    for node in nodes {
      var label = "\(node.name)\n\(node.op.name)"
      if let activated = node.op as? any ActivatedOperator, activated.activation != .identity {
        label += " + \(activated.activation)"
      }
      lines.append("  n\(node.id.index) [label=\"\(Self.escape(label))\"];")
      for input in node.inputs {
        guard let input, !value(input).isConstant else { continue }
        let shape = type(of: input).shape.map(String.init).joined(separator: "×")
        lines.append("  \(source(input)) -> n\(node.id.index) [label=\"\(shape)\"];")
      }
    }
    for (index, output) in outputs.enumerated() {
      lines.append("  o\(index) [shape=ellipse, label=\"\(Self.escape(output.name))\"];")
      lines.append("  \(source(output.value)) -> o\(index);")
    }
    return (lines + ["}"]).joined(separator: "\n")
  }

  private static func escape(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
  }
}
