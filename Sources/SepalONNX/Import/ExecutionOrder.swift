/// Positions of the graph's nodes such that every value is defined before it is read: the file's own order
/// where that is so, as the specification demands, and otherwise a depth-first one.
///
/// Checks on the way that every value has exactly one definition and that everything read is defined.
func executionOrder(of graph: ONNXGraph) throws(ONNXError) -> [Int] {
  guard !graph.outputs.isEmpty else { throw ONNXError(.invalid, "has no outputs, expected at least one") }
  let producers = try producers(in: graph)
  var isSorted = true
  for (index, node) in graph.nodes.enumerated() {
    for input in node.inputs where !input.isEmpty {
      guard let producer = producers[input] else {
        throw node.error(.invalid, "is read, but nothing defines it", tensor: input)
      }
      if producer >= index { isSorted = false }
    }
  }
  for output in graph.outputs where producers[output.name] == nil {
    throw ONNXError(.invalid, "is an output of the graph, but nothing defines it", tensor: output.name)
  }
  return isSorted ? Array(graph.nodes.indices) : try depthFirstOrder(of: graph, producers)
}

/// The node that defines each value; −1 for inputs and initializers.
private func producers(in graph: ONNXGraph) throws(ONNXError) -> [String: Int] {
  var producers: [String: Int] = [:]
  producers.reserveCapacity(graph.nodes.count + graph.inputs.count + graph.initializers.count)
  for input in graph.inputs {
    guard producers.updateValue(-1, forKey: input.name) == nil else {
      throw ONNXError(.invalid, "is declared as an input twice", tensor: input.name)
    }
  }
  var initializers: Set<String> = []
  for initializer in graph.initializers {
    guard initializers.insert(initializer.name).inserted else {
      throw ONNXError(.invalid, "is an initializer twice", tensor: initializer.name)
    }
    producers[initializer.name] = -1
  }
  for (index, node) in graph.nodes.enumerated() {
    guard !node.outputs.isEmpty else { throw node.error(.invalid, "has no outputs") }
    for output in node.outputs where !output.isEmpty {
      guard let other = producers.updateValue(index, forKey: output) else { continue }
      let place = other < 0 ? "as an input or initializer" : "by node '\(graph.nodes[other].label)'"
      throw node.error(.invalid, "is defined a second time; the first is \(place)", tensor: output)
    }
  }
  return producers
}

private func depthFirstOrder(
  of graph: ONNXGraph, _ producers: [String: Int]
) throws(ONNXError) -> [Int] {
  enum State { case new, open, done }
  var order: [Int] = []
  order.reserveCapacity(graph.nodes.count)
  var states = [State](repeating: .new, count: graph.nodes.count)
  var stack: [(node: Int, nextInput: Int)] = []
  for root in graph.nodes.indices where states[root] == .new {
    states[root] = .open
    stack.append((root, 0))
    while let (index, nextInput) = stack.last {
      let node = graph.nodes[index]
      guard nextInput < node.inputs.count else {
        states[index] = .done
        order.append(index)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].nextInput += 1
      guard let producer = producers[node.inputs[nextInput]], producer >= 0 else { continue }
      switch states[producer] {
      case .done: break
      case .open:
        throw node.error(
          .invalid, "depends on this node's own result: the graph has a cycle",
          tensor: node.inputs[nextInput])
      case .new:
        states[producer] = .open
        stack.append((producer, 0))
      }
    }
  }
  return order
}
