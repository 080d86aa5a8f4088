import SepalGraph
import SepalTensor
import Testing

@Suite struct GraphVerifyTests {
  private func message(_ graph: Graph) -> String? {
    do throws(GraphError) {
      try graph.verify()
      return nil
    } catch {
      return error.description
    }
  }

  @Test func anEmptyGraphIsLegal() {
    #expect(message(Graph()) == nil)
  }

  @Test func cyclesAreFound() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let a = try graph.add(Relu(), name: "a", inputs: [x])[0]
    let b = try graph.add(Abs(), name: "b", inputs: [a])[0]
    graph.replaceUses(of: x, with: b)
    #expect(message(graph)?.hasSuffix("is part of a cycle") == true)
  }

  @Test func staleTypesAreFound() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let other = graph.addInput("other", TensorType(.float32, [3]))
    graph.addOutput("y", try graph.add(Relu(), name: "n", inputs: [x])[0])
    graph.replaceUses(of: x, with: other)
    #expect(message(graph) == "node 'n' (Relu): infers [float32[3]], stored [float32[2]]")
  }

  @Test func operandsThatTheOperatorRefusesAreFound() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let flags = graph.addInput("flags", TensorType(.bool, [2]))
    graph.addOutput("y", try graph.add(Relu(), name: "n", inputs: [x])[0])
    graph.replaceUses(of: x, with: flags)
    #expect(message(graph) == "node 'n' (Relu): does not take bool")
  }

  @Test func namesOfInputsAndOutputsAreDistinct() {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    graph.addOutput("y", x)
    graph.addOutput("y", x)
    #expect(message(graph) == "node 'g' (graph): two outputs share a name")
    var second = Graph(name: "g")
    _ = second.addInput("x", TensorType(.float32, [2]))
    _ = second.addInput("x", TensorType(.float32, [2]))
    #expect(message(second) == "node 'g' (graph): two inputs share a name")
  }
}
