import SepalGraph
import SepalTensor

/// Models around a rewrite, cut out of the graph before it: the smallest first.
struct ReproSearch {
  private let before: Graph
  private let inputs: [String: Tensor]
  private var candidates: [Set<NodeID>] = []

  private static let maximumDepth = 4
  private static let maximumNodes = 24

  init(_ rewrite: Rewrite, in before: Graph, inputs: [String: Tensor]) {
    self.before = before
    self.inputs = inputs
    // What comes after a node can be what a pass looks at, such as the readers of a transposed value.
    var nodes = RewriteSite.core(of: rewrite, in: before)
    for _ in 0...Self.maximumDepth where !nodes.isEmpty && nodes.count <= Self.maximumNodes {
      candidates.append(nodes)
      let readers = nodes.flatMap { before.node($0).outputs.flatMap { before.value($0).consumers } }
      candidates.append(nodes.union(readers))
      let read = nodes.flatMap { before.node($0).inputs.compactMap { before.producer(of: $0)?.id } }
      nodes.formUnion(read)
    }
    candidates.sort { $0.count < $1.count }
  }

  /// The first model that goes wrong on what it was given in the whole graph, as `repro` finds.
  func first(
    _ repro: (Graph, [String: Tensor]) throws(ComparisonError) -> Bisection.Repro?
  ) throws(ComparisonError) -> Bisection.Repro? {
    let tensors = try values(
      Set(candidates.flatMap { $0.flatMap { before.node($0).inputs.compactMap { $0 } } }))
    for nodes in candidates where nodes.count <= Self.maximumNodes {
      guard let part = try? before.part(nodes) else { continue }
      var given: [String: Tensor] = [:]
      for (name, id) in part.inputs { given[name] = tensors[id] }
      if given.count == part.inputs.count, let repro = try repro(part.graph, given) { return repro }
    }
    return nil
  }

  /// What values have been in a reference run.
  private func values(_ wanted: Set<ValueID>) throws(ComparisonError) -> [ValueID: Tensor] {
    var tensors: [ValueID: Tensor] = [:]
    for id in before.inputs { tensors[id] = inputs[before.value(id).name] }
    do {
      _ = try before.evaluate(inputs, precision: .double) { value, tensor throws(GraphError) in
        if wanted.contains(value.id) { tensors[value.id] = tensor.converted(to: value.type.element) }
      }
    } catch {
      throw ComparisonError("the reference cannot be evaluated: \(error)")
    }
    return tensors
  }
}

extension Graph {
  /// A graph of some of the nodes: what they read from others are inputs, what others read from them or is an output of the
  /// whole are outputs. Inputs and outputs are called what they are called here, where that is unique.
  func part(
    _ nodes: Set<NodeID>
  ) throws(GraphError) -> (graph: Graph, inputs: [(name: String, value: ValueID)]) {
    var part = Graph(name: name)
    var copies: [ValueID: ValueID] = [:]
    var inputs: [(name: String, value: ValueID)] = []
    var names: Set<String> = []
    func unique(_ name: String) -> String {
      var candidate = name
      var number = 1
      while !names.insert(candidate).inserted {
        number += 1
        candidate = "\(name)_\(number)"
      }
      return candidate
    }
    let order = topologicalOrder().filter(nodes.contains)
    for id in order {
      let node = node(id)
      for case let input? in node.inputs where copies[input] == nil {
        let value = value(input)
        if let constant = value.constant {
          copies[input] = part.addConstant(value.name, constant, origins: value.origins)
        } else {
          let name = unique(value.name)
          copies[input] = part.addInput(name, value.type)
          inputs.append((name, input))
        }
      }
      let outputs = try part.add(
        node.op, name: node.name, inputs: node.inputs.map { $0.flatMap { copies[$0] } },
        outputNames: node.outputs.map { value($0).name })
      for (output, copy) in zip(node.outputs, outputs) {
        copies[output] = copy
        part.addOrigins([Origin(value(output).name)], to: copy)
      }
    }
    for id in order {
      for output in node(id).outputs {
        let value = value(output)
        let isRead = value.consumers.contains { !nodes.contains($0) } || value.isGraphOutput
        if isRead || value.useCount == 0, let copy = copies[output] {
          part.addOutput(unique(value.name), copy)
        }
      }
    }
    return (part, inputs)
  }
}
