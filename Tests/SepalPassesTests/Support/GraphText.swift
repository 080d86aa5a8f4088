import SepalGraph
import SepalTensor

/// A graph from the text that `Graph.description` prints; result types may be left out.
///
/// Constants are filled with noise that depends on their name, or say what they hold: `= 0.5`, `= [1,2,3]`, or
/// `= positive` for noise above zero. Every node's results carry their names as origins.
func graph(_ text: String) throws -> Graph {
  var parser = GraphTextParser()
  for line in text.split(separator: "\n") {
    let trimmed = line.drop { $0 == " " }
    if !trimmed.isEmpty { try parser.read(String(trimmed)) }
  }
  try parser.graph.verify()
  return parser.graph
}

/// What `Graph.description` prints, without the types of results.
func text(_ graph: Graph) -> String {
  graph.description.split(separator: "\n").map { line in
    line.hasPrefix("%")
      ? String(line[..<(line.ranges(of: " : ").last?.lowerBound ?? line.endIndex)]) : String(line)
  }.joined(separator: "\n")
}

struct GraphTextError: Error {
  var line: String
}

private struct GraphTextParser {
  var graph = Graph(name: "test")
  private var values: [Substring: ValueID] = [:]

  mutating func read(_ line: String) throws {
    let failure = GraphTextError(line: line)
    if let match = line.wholeMatch(of: /input %(\S+): (\w+)\[([0-9x]*)\]/) {
      values[match.1] = graph.addInput(String(match.1), try type(match.2, match.3, failure))
    } else if let match = line.wholeMatch(of: /constant %(\S+): (\w+)\[([0-9x]*)\]( = (.*))?/) {
      let type = try type(match.2, match.3, failure)
      let tensor = try constant(type, name: match.1, content: match.5, failure)
      values[match.1] = graph.addConstant(String(match.1), tensor)
    } else if let match = line.wholeMatch(of: /output (\S+) = %(\S+)/) {
      graph.addOutput(String(match.1), try value(match.2, failure))
    } else if let match = line.wholeMatch(of: /%(.+) = (\w+)\((.*?)\)( \{(.*)\})?( : .*)?/) {
      let names = match.1.replacing("%", with: "").split(separator: ", ")
      let inputs = try match.3.split(separator: ", ").map { operand in
        operand == "_" ? nil : try value(operand.dropFirst(), failure)
      }
      guard let op = OperatorRegistry.type(named: String(match.2)) else { throw failure }
      let outputs = try graph.add(
        try makeOperator(op, attributes: match.5 ?? "", failure), name: String(names[0]), inputs: inputs,
        outputNames: names.map(String.init))
      guard outputs.count == names.count else { throw failure }
      for (name, output) in zip(names, outputs) {
        values[name] = output
        graph.addOrigins([Origin(String(name))], to: output)
      }
    } else {
      throw failure
    }
  }

  private func value(_ name: Substring, _ failure: GraphTextError) throws -> ValueID {
    guard let id = values[name] else { throw failure }
    return id
  }

  private func type(_ element: Substring, _ shape: Substring, _ failure: GraphTextError) throws -> TensorType
  {
    guard let element = ElementType(name: String(element)) else { throw failure }
    return TensorType(element, shape.split(separator: "x").compactMap { Int($0) })
  }

  private func constant(
    _ type: TensorType, name: Substring, content: Substring?, _ failure: GraphTextError
  ) throws -> Tensor {
    guard let content, content != "positive" else {
      var generator = SeededGenerator(seed(name))
      let noise = generator.tensor(type.shape, in: -1...1).converted(to: type.element)
      return content == nil
        ? noise : Tensor(type.element, type.shape, doubles: noise.doubles().map { abs($0) + 0.25 })
    }
    let numbers = content.split { "[], ".contains($0) }.compactMap { Double($0) }
    guard numbers.count == 1 || numbers.count == type.count, !numbers.isEmpty else { throw failure }
    let values = numbers.count == type.count ? numbers : Array(repeating: numbers[0], count: type.count)
    return Tensor(type.element, type.shape, doubles: values)
  }

  private func makeOperator(
    _ type: any Operator.Type, attributes: Substring, _ failure: GraphTextError
  ) throws -> any Operator {
    var op: any Operator = type.init()
    for attribute in attributes.split(separator: /, (?=\w+:)/) {
      let parts = attribute.split(separator: ": ", maxSplits: 1)
      guard parts.count == 2, let field = type.schema.attributes.first(where: { $0.name == parts[0] }),
        let set = attributeValues(parts[1]).lazy.compactMap({ try? field.set(op, $0) }).first
      else { throw failure }
      op = set
    }
    return op
  }

  /// What `text` may stand for.
  private func attributeValues(_ text: Substring) -> [AttributeValue] {
    var candidates: [AttributeValue] = []
    if text.hasPrefix("[") {
      let items = text.dropFirst().dropLast().split(separator: ",")
      candidates.append(.ints(items.compactMap { Int($0) }))
      candidates.append(.floats(items.compactMap { Double($0) }))
    }
    if let value = Int(text) { candidates.append(.int(value)) }
    if let value = Double(text) { candidates.append(.float(value)) }
    return candidates + [.string(String(text))]
  }

  private func seed(_ name: Substring) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
