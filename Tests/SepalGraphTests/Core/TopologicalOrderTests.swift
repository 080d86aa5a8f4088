import SepalGraph
import SepalTensor
import Testing

/// The order is found without recursion and in linear time: a hundred thousand nodes in a row would overflow the
/// stack or never end otherwise.
@Suite struct TopologicalOrderTests {
  private static let length = 100_000
  private static let type = TensorType(.float32, [1])

  private func expectTopological(_ graph: Graph) {
    let order = graph.topologicalOrder()
    #expect(order.count == graph.nodeCount)
    var seen: Set<NodeID> = []
    var early = 0
    for id in order {
      for input in graph.node(id).inputs.compactMap({ $0 }) {
        if let producer = graph.value(input).producer, !seen.contains(producer) { early += 1 }
      }
      seen.insert(id)
    }
    #expect(early == 0)
    #expect(seen.count == graph.nodeCount)
  }

  @Test func aLongChainBuiltForwards() throws {
    var graph = Graph()
    var value = graph.addInput("x", Self.type)
    for index in 0..<Self.length { value = try graph.add(Relu(), name: "n\(index)", inputs: [value])[0] }
    graph.addOutput("y", value)
    expectTopological(graph)
    try graph.verify()
  }

  /// Each node depends on the one added after it, as after many rewrites.
  @Test func aLongChainBuiltBackwards() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    var hole = graph.addInput("hole", Self.type)
    graph.addOutput("y", try graph.add(Relu(), name: "n", inputs: [hole])[0])
    for index in 0..<Self.length {
      let next = graph.addInput("hole\(index)", Self.type)
      let value = try graph.add(Relu(), name: "n\(index)", inputs: [next])[0]
      graph.replaceUses(of: hole, with: value)
      hole = next
    }
    graph.replaceUses(of: hole, with: x)
    expectTopological(graph)
    #expect(graph.topologicalOrder().first == graph.value(x).consumers.first)
    try graph.verify()
  }

  /// Two paths through every level: visiting paths instead of nodes would take 2ⁿ steps.
  @Test func sharedOperandsAreVisitedOnce() throws {
    var graph = Graph()
    var value = graph.addInput("x", Self.type)
    for index in 0..<1000 {
      let left = try graph.add(Relu(), name: "l\(index)", inputs: [value])[0]
      let right = try graph.add(Abs(), name: "r\(index)", inputs: [value])[0]
      value = try graph.add(Add(), name: "s\(index)", inputs: [left, right])[0]
    }
    graph.addOutput("y", value)
    expectTopological(graph)
  }

  @Test func independentNodesKeepTheirOrder() throws {
    var graph = Graph()
    let x = graph.addInput("x", Self.type)
    for index in 0..<10 { _ = try graph.add(Relu(), name: "n\(index)", inputs: [x]) }
    #expect(graph.nodes.map(\.name) == (0..<10).map { "n\($0)" })
  }
}
