import SepalGraph
import SepalTensor

/// A value of the model that is being made, before it has a name.
struct ExportedValue: Hashable, Sendable {
  fileprivate let index: Int
}

/// An attribute of a node, of the few kinds that are written.
enum ExportedAttribute: Sendable, Hashable {
  case int(Int)
  case float(Double)
  case string(String)
  case ints([Int])
  case floats([Double])
  case strings([String])
}

/// The attributes of a node, in the order in which they are written.
struct ExportedAttributes: ExpressibleByDictionaryLiteral {
  private(set) var list: [(name: String, value: ExportedAttribute)]

  init(dictionaryLiteral elements: (String, ExportedAttribute)...) { list = elements.map { ($0.0, $0.1) } }

  mutating func append(_ name: String, _ value: ExportedAttribute) { list.append((name, value)) }
}

struct ExportedNode {
  var opType: String
  var name: String
  /// Nil leaves an optional operand out.
  var inputs: [ExportedValue?]
  /// Nil leaves an optional result out.
  var outputs: [ExportedValue?]
  var attributes: ExportedAttributes
}

/// An ONNX graph without names that clash: nodes in execution order, initialisers, inputs and outputs.
final class ExportedModel {
  struct Initializer {
    var value: ExportedValue
    var tensor: Tensor
  }

  let name: String
  private(set) var nodes: [ExportedNode] = []
  private(set) var initializers: [Initializer] = []
  private(set) var inputs: [(value: ExportedValue, type: TensorType)] = []
  private(set) var outputs: [(value: ExportedValue, type: TensorType)] = []
  /// The name that each value would like to have.
  private var wishes: [String] = []
  private var isProduced: [Bool] = []
  /// Small constants by their contents: bounds, shapes and axes that many nodes share.
  private var shared: [SmallConstant: ExportedValue] = [:]
  private var outputValues: Set<ExportedValue> = []
  /// What values of the graph have become.
  private var exported: [ValueID: ExportedValue] = [:]

  private struct SmallConstant: Hashable {
    var type: TensorType
    var bytes: [UInt8]
  }

  init(name: String) { self.name = name }

  func addInput(_ id: ValueID, of graph: Graph) {
    let value = newValue(graph.value(id).name)
    inputs.append((value, graph.type(of: id)))
    exported[id] = value
  }

  /// What `id` has become; a constant becomes an initialiser now.
  func value(of id: ValueID, in graph: Graph) -> ExportedValue {
    if let known = exported[id] { return known }
    guard let tensor = graph.constant(id) else {
      preconditionFailure("a value is read before it is computed")
    }
    let value = addInitializer(graph.value(id).name, tensor)
    exported[id] = value
    return value
  }

  /// Lets `value` stand for `id`, whose name it takes when it was made after `mark`.
  func bind(_ id: ValueID, of graph: Graph, to value: ExportedValue, madeAfter mark: Int) {
    exported[id] = value
    if value.index >= mark { wishes[value.index] = graph.value(id).name }
  }

  /// Values so far.
  var mark: Int { wishes.count }

  func addInitializer(_ name: String, _ tensor: Tensor) -> ExportedValue {
    let value = newValue(name)
    initializers.append(Initializer(value: value, tensor: tensor))
    return value
  }

  /// A constant of a few bytes, which all nodes that ask for the same one share.
  func addSharedInitializer(_ name: String, _ tensor: Tensor) -> ExportedValue {
    let key = SmallConstant(type: tensor.type, bytes: tensor.withUnsafeBytes { Array($0) })
    if let known = shared[key] { return known }
    let value = addInitializer(name, tensor)
    shared[key] = value
    return value
  }

  /// - Parameter results: for each output, the name it would like to have; nil leaves it out.
  func addNode(
    _ opType: String, name: String, inputs: [ExportedValue?],
    attributes: ExportedAttributes, results: [String?]
  ) -> [ExportedValue?] {
    let outputs = results.map { $0.map { newValue($0, isProduced: true) } }
    let operands = Array(inputs.prefix((inputs.lastIndex { $0 != nil } ?? -1) + 1))
    nodes.append(
      ExportedNode(opType: opType, name: name, inputs: operands, outputs: outputs, attributes: attributes))
    return outputs
  }

  /// Makes `value` an output. An input of another name, a constant or another output gets there by an Identity.
  func addOutput(_ output: Graph.Output, of graph: Graph) {
    let (name, value) = (output.name, value(of: output.value, in: graph))
    var result = value
    let isInput = inputs.contains { $0.value == value } && wishes[value.index] == name
    if !isInput && !isProduced[value.index] || outputValues.contains(value) {
      result =
        addNode("Identity", name: name, inputs: [value], attributes: [:], results: [name])[0] ?? value
    }
    wishes[result.index] = name
    outputValues.insert(result)
    outputs.append((result, graph.type(of: output.value)))
  }

  /// Names of values by index, each of its own and none empty. Inputs and outputs come first, then initialisers.
  func uniqueNames() -> ValueNames {
    var names = [String](repeating: "", count: wishes.count)
    var taken = UniqueNames()
    for (value, _) in inputs + outputs where names[value.index].isEmpty {
      names[value.index] = taken.name(for: wishes[value.index], "value")
    }
    for initializer in initializers {
      names[initializer.value.index] = taken.name(for: wishes[initializer.value.index], "constant")
    }
    for index in names.indices where names[index].isEmpty {
      names[index] = taken.name(for: wishes[index], "value")
    }
    return ValueNames(names: names)
  }

  struct ValueNames {
    fileprivate let names: [String]
    subscript(value: ExportedValue) -> String { names[value.index] }
  }

  private func newValue(_ name: String, isProduced: Bool = false) -> ExportedValue {
    wishes.append(name)
    self.isProduced.append(isProduced)
    return ExportedValue(index: wishes.count - 1)
  }
}

/// Hands out names once each: a second `conv` is `conv_1`.
struct UniqueNames {
  private var taken: Set<String> = []
  private var counts: [String: Int] = [:]

  mutating func name(for wish: String, _ fallback: String) -> String {
    let base = wish.isEmpty ? fallback : wish
    if taken.insert(base).inserted { return base }
    while true {
      let count = counts[base, default: 0] + 1
      counts[base] = count
      let name = "\(base)_\(count)"
      if taken.insert(name).inserted { return name }
    }
  }
}
