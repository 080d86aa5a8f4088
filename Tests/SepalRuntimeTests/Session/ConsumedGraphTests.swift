import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

@Suite struct ConsumedGraphTests {
  @Test("a model of a graph that it took over has the same results and types", arguments: 1...6)
  func results(_ seed: Int) throws {
    var m = try SessionTests.network(seed: seed)
    let feeds = m.feeds()
    let graph = m.graph
    let expected = try Model(graph).makeSession().run(inputs: feeds)
    let model = try Model(consuming: graph)
    let actual = try model.makeSession().run(inputs: feeds)
    #expect(actual.keys == expected.keys)
    for (name, tensor) in expected { #expect(actual[name]?.isIdentical(to: tensor) == true) }
    #expect(model.graph.description == graph.description)
    #expect(graph.values.allSatisfy { !$0.isDiscarded })
  }

  private static func dense() throws -> (graph: Graph, weight: ValueID, shift: ValueID) {
    var m = GraphMaker()
    let x = m.input([1, 200])
    let weight = m.constant([200, 300])
    let shift = m.constant([1, 300])
    m.output(try m.add(Add(), [try m.add(MatMul(), [x, weight]), shift]))
    return (m.graph, weight, shift)
  }

  @Test("constants are freed when the first run has packed them, those that steps read stay")
  func memory() throws {
    weak var weight: TensorStorage?
    weak var shift: TensorStorage?
    func model() throws -> Model {
      let made = try Self.dense()
      let graph = made.graph
      weight = graph.constant(made.weight)?.storage
      shift = graph.constant(made.shift)?.storage
      #expect(weight != nil && shift != nil)
      return try Model(consuming: graph)
    }
    let model = try model()
    #expect(weight != nil)
    _ = try model.makeSession().run(inputs: [
      "x": Tensor([1, 200], floats: [Float](repeating: 1, count: 200))
    ])
    #expect(weight == nil)
    #expect(shift != nil)
    withExtendedLifetime(model) {}
  }

  @Test("a graph without elements is refused, and says which are missing")
  func refusals() throws {
    let (graph, weight, shift) = try Self.dense()
    let name = graph.value(weight).name
    let discarded = try Model(consuming: graph).graph
    #expect(discarded.constant(weight) == nil && discarded.value(weight).isConstant)
    #expect(discarded.constant(shift) != nil)
    for refused in [
      #expect(throws: GraphError.self) { try discarded.verify() },
      #expect(throws: GraphError.self) { _ = try discarded.withInputShapes(["x": [2, 200]]) },
    ] {
      #expect(refused.map { "\($0)" }?.contains(name) == true)
    }
    #expect(throws: RuntimeError.self) { _ = try Model(discarded) }
    #expect(throws: GraphError.self) {
      _ = try discarded.evaluate(["x": Tensor([1, 200], floats: [Float](repeating: 1, count: 200))])
    }
  }
}
