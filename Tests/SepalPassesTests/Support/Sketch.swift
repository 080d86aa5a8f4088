import SepalGraph
import SepalTensor

/// A graph in the making: inputs, constants with seeded elements, nodes with names counted up.
struct Sketch {
  private(set) var graph = Graph()
  private var random = SeededGenerator(7)
  private var counter = 0

  mutating func input(_ shape: [Int], _ name: String = "x") -> ValueID {
    graph.addInput(name, TensorType(.float32, shape))
  }

  mutating func constant(_ shape: [Int]) -> ValueID {
    graph.addConstant("c\(graph.values.count)", random.tensor(shape, in: -1...1))
  }

  /// Adds a node with one output.
  mutating func add(_ op: any Operator, _ inputs: ValueID?..., named name: String? = nil) throws -> ValueID {
    try nodes(op, inputs, named: name)[0]
  }

  mutating func nodes(_ op: any Operator, _ inputs: [ValueID?], named name: String? = nil) throws -> [ValueID]
  {
    counter += 1
    return try graph.add(op, name: name ?? "n\(counter)", inputs: inputs)
  }

  /// The graph with these outputs. Mutating, so that arguments that add nodes are evaluated first.
  mutating func finished(_ outputs: ValueID...) -> Graph {
    var graph = graph
    for (index, output) in outputs.enumerated() { graph.addOutput(index == 0 ? "y" : "y\(index)", output) }
    return graph
  }
}

extension Graph {
  /// Operator names in topological order.
  var operators: [String] { nodes.map(\.op.name) }
}
