import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("recognize-clip")
struct RecognizeClipTests {
  private func graph(_ ops: [(any Operator, bound: Double?, boundFirst: Bool)]) throws -> Graph {
    var graph = Graph()
    var value = graph.addInput("x", TensorType(.float32, [8]))
    for (index, (op, bound, boundFirst)) in ops.enumerated() {
      var inputs = [value]
      if let bound {
        let constant = graph.addConstant("c\(index)", Tensor(.float32, [1], doubles: [bound]))
        inputs = boundFirst ? [constant, value] : [value, constant]
      }
      value = try graph.add(op, name: "n\(index)", inputs: inputs)[0]
    }
    graph.addOutput("y", value)
    return graph
  }

  @Test("every spelling of ReLU6 is Clip(0, 6)", arguments: [false, true])
  func relu6(boundFirst: Bool) throws {
    let spellings: [[(any Operator, bound: Double?, boundFirst: Bool)]] = [
      [(Relu(), nil, false), (Min(), 6, boundFirst)],
      [(Min(), 6, boundFirst), (Relu(), nil, false)],
      [(Min(), 6, boundFirst), (Max(), 0, !boundFirst)],
      [(Max(), 0, boundFirst), (Min(), 6, boundFirst)],
      [(Relu(), nil, false), (Clip(min: 0, max: 6), nil, false)],
      [(Clip(min: -1, max: 6), nil, false), (Relu(), nil, false), (Relu(), nil, false)],
    ]
    for spelling in spellings {
      let result = try expectEquivalent(graph(spelling), after: ["recognize-clip"])
      #expect(result.nodes.map(\.op.name) == ["Clip"])
      #expect(result.nodes[0].op(as: Clip.self).map { [$0.min, $0.max] } == [0, 6])
    }
  }

  @Test("max(x, 0) is Relu, a lone lower bound a Clip")
  func lowerBound() throws {
    let relu = try expectEquivalent(graph([(Max(), 0, true)]), after: ["recognize-clip"])
    #expect(
      relu.description == """
        input %x: float32[8]
        %n0 = Relu(%x) : float32[8]
        output y = %n0
        """)
    let clip = try expectEquivalent(graph([(Max(), -2, false)]), after: ["recognize-clip"])
    #expect(clip.nodes[0].op(as: Clip.self).map { [$0.min, $0.max] } == [-2, .infinity])
  }

  @Test("bounds that exclude one another give a constant function")
  func crossedBounds() throws {
    let result = try expectEquivalent(
      graph([(Max(), 2, true), (Min(), 1, true), (Max(), -3, true)]), after: ["recognize-clip"])
    #expect(result.nodes.count == 1)
  }

  @Test("the sole canonical clamp is left as it is")
  func canonical() throws {
    let source = try graph([(Clip(min: 0, max: 6), nil, false), (Abs(), nil, false), (Relu(), nil, false)])
    #expect(try source.optimized(by: ["recognize-clip"]).description == source.description)
  }

  @Test("a clamp with a second reader is not merged")
  func secondReader() throws {
    var source = try graph([(Relu(), nil, false), (Clip(min: -1, max: 6), nil, false)])
    source.addOutput("relu", source.nodes[0].output)
    let result = try expectEquivalent(source, after: ["recognize-clip"])
    #expect(result.nodes.map(\.op.name) == ["Relu", "Clip"])
  }

  @Test("bounds that are not single numbers, or are not constant, or widen the result, are left alone")
  func otherBounds() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [3]))
    let vector = graph.addConstant("v", Tensor([3], floats: [1, 2, 3]))
    let wide = graph.addConstant("w", Tensor([1, 1], floats: [6]))
    let a = try graph.add(Min(), name: "a", inputs: [x, vector])[0]
    let b = try graph.add(Max(), name: "b", inputs: [a, x])[0]
    graph.addOutput("y", try graph.add(Min(), name: "c", inputs: [b, wide])[0])
    let result = try expectEquivalent(graph, after: ["recognize-clip"])
    #expect(result.nodes.map(\.op.name) == ["Min", "Max", "Min"])
  }
}
