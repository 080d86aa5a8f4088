import SepalGraph
import SepalTensor
import Testing

@Suite struct GraphEvaluateTests {
  /// y = (x + w)·x, s = x + w.
  private func fixture() throws -> Graph {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let w = graph.addConstant("w", Tensor([2], floats: [0.1, 10]))
    let sum = try graph.add(Add(), name: "sum", inputs: [x, w])[0]
    graph.addOutput("y", try graph.add(Mul(), name: "y", inputs: [sum, x])[0])
    graph.addOutput("s", sum)
    graph.addOutput("w", w)
    return graph
  }

  @Test func outputsComeBackByName() throws {
    let results = try fixture().evaluate(["x": Tensor([2], floats: [2, 3])])
    #expect(results.keys.sorted() == ["s", "w", "y"])
    #expect(results["y"]?.floats() == [4.2, 39])
    #expect(results["s"]?.floats() == [2.1, 13])
    #expect(results["w"]?.floats() == [0.1, 10])
  }

  @Test func doublePrecisionRoundsNowhere() throws {
    let tenth = Double(Float(0.1))
    let results = try fixture().evaluate(["x": Tensor([2], floats: [2, 3])], precision: .double)
    #expect(results["y"]?.element == .float64)
    #expect(results["y"]?.doubles() == [(2 + tenth) * 2, 39])
    let wide = try fixture().evaluate(["x": Tensor(.float64, [2], doubles: [2, 3])], precision: .double)
    #expect(wide["y"]?.doubles() == [(2 + tenth) * 2, 39])
  }

  /// A cast to a narrower type rounds even then, and what follows is wide again.
  @Test func castsStayVisibleInDoublePrecision() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1]))
    graph.addOutput("y", try graph.add(Cast(to: .float16), name: "y", inputs: [x])[0])
    let y = try #require(try graph.evaluate(["x": Tensor([1], floats: [0.1])], precision: .double)["y"])
    #expect(y.element == .float64)
    #expect(y.doubles() == [Double(Float(halfBits: Float(0.1).halfBits))])
  }

  @Test func everyNodeOutputIsObservedInOrder() throws {
    var seen: [String] = []
    _ = try fixture().evaluate(["x": Tensor([2], floats: [2, 3])]) { (value, tensor) throws(GraphError) in
      seen.append("\(value.name): \(tensor.floats())")
    }
    #expect(seen == ["sum: [2.1, 13.0]", "y: [4.2, 39.0]"])
  }

  @Test func inputsMustBeThereAndOfTheirType() throws {
    let graph = try fixture()
    #expect(throws: GraphError(node: "g", op: "graph", message: "input 'x' was not given")) {
      _ = try graph.evaluate([:])
    }
    for wrong in [
      Tensor([1, 2], floats: [1, 2]), Tensor(.int32, [2], integers: [1, 2]),
      Tensor(.float64, [2], doubles: [1, 2]),
    ] {
      #expect(
        throws: GraphError(
          node: "g", op: "graph", message: "input 'x' is \(wrong.type), expected float32[2]")
      ) { _ = try graph.evaluate(["x": wrong]) }
    }
    #expect(throws: GraphError.self) {
      _ = try graph.evaluate(["x": Tensor(.int32, [2], integers: [1, 2])], precision: .double)
    }
  }

  @Test func errorsNameTheNode() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.int64, [1]))
    graph.addOutput("y", try graph.add(Div(), name: "quotient", inputs: [x, x])[0])
    #expect(
      throws: GraphError(node: "quotient", op: "Div", message: "integer result is not defined")
    ) { _ = try graph.evaluate(["x": Tensor([1], int64s: [0])]) }
  }

  @Test func anInputMayBeAnOutput() throws {
    var graph = Graph()
    graph.addOutput("y", graph.addInput("x", TensorType(.float32, [1])))
    #expect(try graph.evaluate(["x": Tensor([1], floats: [7])])["y"]?.floats() == [7])
  }
}
