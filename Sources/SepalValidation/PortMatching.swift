import SepalGraph
import SepalTensor

/// Which input and output of one model stands for which of another, and how their axes correspond.
///
/// Ports of the same name belong together, the others by type and order. Axes may differ by the place of the channels,
/// where shapes leave no doubt, and by axes of extent 1.
struct PortMatching: Sendable {
  struct Port: Sendable, Hashable {
    /// The name in the original and that in the converted model.
    var original, converted: String
    /// `Transpose(original, permutation)` has the converted model's axes, up to those of extent 1. Empty: they are alike.
    var permutation: [Int] = []
    var originalType, convertedType: TensorType
  }

  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var notes: [String] = []

  init(_ original: Graph, _ converted: Graph) throws(ComparisonError) {
    func inputs(_ graph: Graph) -> [(String, TensorType)] {
      graph.inputs.map { (graph.value($0).name, graph.type(of: $0)) }
    }
    func outputs(_ graph: Graph) -> [(String, TensorType)] {
      graph.outputs.map { ($0.name, graph.type(of: $0.value)) }
    }
    self.inputs = try match("input", inputs(original), inputs(converted))
    self.outputs = try match("output", outputs(original), outputs(converted))
  }

  private mutating func match(
    _ what: String, _ left: [(name: String, type: TensorType)], _ right: [(name: String, type: TensorType)]
  ) throws(ComparisonError) -> [Port] {
    guard left.count == right.count else {
      throw ComparisonError(
        "the original has \(left.count) \(what)\(left.count == 1 ? "" : "s") (\(list(left))), the converted model "
          + "\(right.count) (\(list(right)))")
    }
    let places = Dictionary(right.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let known = Set(left.map(\.name))
    var free = right.indices.filter { !known.contains(right[$0].name) }
    return try left.map { (port) throws(ComparisonError) -> Port in
      if let place = places[port.name] {
        guard let found = aligned(port, right[place]) else {
          throw ComparisonError(
            "\(what) '\(port.name)' is \(port.type) in the original and \(right[place].type) in the converted model"
          )
        }
        return say(what, found)
      }
      for (index, place) in free.enumerated() {
        guard let found = aligned(port, right[place]) else { continue }
        free.remove(at: index)
        notes.append("\(what) '\(port.name)' is compared with '\(right[place].name)': by type and order")
        return say(what, found)
      }
      throw ComparisonError("\(what) '\(port.name)' \(port.type) has no counterpart in the converted model")
    }
  }

  private mutating func say(_ what: String, _ port: Port) -> Port {
    if !port.permutation.isEmpty {
      notes.append(
        "\(what) '\(port.original)' is \(port.originalType) in the original and \(port.convertedType) in the converted "
          + "model: transposed by \(port.permutation)")
    } else if port.originalType.shape != port.convertedType.shape {
      notes.append(
        "\(what) '\(port.original)' is \(port.originalType) in the original and \(port.convertedType) in the converted "
          + "model: reshaped")
    }
    return port
  }

  private func list(_ ports: [(name: String, type: TensorType)]) -> String {
    ports.map { "'\($0.name)' \($0.type)" }.joined(separator: ", ")
  }

  private func aligned(
    _ left: (name: String, type: TensorType), _ right: (name: String, type: TensorType)
  ) -> Port? {
    guard left.type.element == right.type.element else { return nil }
    var port = Port(
      original: left.name, converted: right.name, originalType: left.type, convertedType: right.type)
    let (a, b) = (left.type.shape, right.type.shape)
    if a == b { return port }
    if a.count == b.count, a.count >= 3 {
      let axes = Array(a.indices)
      let toLast = [0] + axes[2...] + [1]
      let toFirst = [0, a.count - 1] + axes[1..<a.count - 1]
      let fitting = [toLast, toFirst].filter { $0.map { a[$0] } == b }
      let isVector = a.filter({ $0 > 1 }).count <= 1
      if fitting.count == 1 {
        port.permutation = fitting[0]
        return port
      }
      if fitting.count == 2 && !isVector { return nil }
    }
    return a.filter { $0 != 1 } == b.filter { $0 != 1 } ? port : nil
  }
}

extension PortMatching.Port {
  /// The original's tensor as the converted model has it.
  func toConverted(_ tensor: Tensor) -> Tensor { moved(tensor, permutation).reshaped(convertedType.shape) }

  /// The converted model's tensor as the original has it.
  func toOriginal(_ tensor: Tensor) -> Tensor {
    var inverse = permutation
    for (index, axis) in permutation.enumerated() { inverse[axis] = index }
    return moved(tensor, inverse).reshaped(originalType.shape)
  }

  private func moved(_ tensor: Tensor, _ permutation: [Int]) -> Tensor {
    permutation.isEmpty ? tensor : tensor.transposed(permutation)
  }
}

extension Tensor {
  /// The same elements in another order of axes.
  func transposed(_ permutation: [Int]) -> Tensor {
    (try? Transpose(permutation: permutation).evaluate(Inputs([self])).first) ?? self
  }
}
