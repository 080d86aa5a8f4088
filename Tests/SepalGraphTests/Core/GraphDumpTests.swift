import SepalGraph
import SepalTensor
import Testing

@Suite struct GraphDumpTests {
  @Test func showsOperandsNonDefaultAttributesAndTypes() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 8, 8]))
    let w = graph.addConstant("w", Tensor(.float32, [4, 3, 3, 3], doubles: .init(repeating: 0, count: 108)))
    let r = graph.addInput("r", TensorType(.float32, [1, 4, 3, 3]))
    let conv = try graph.add(
      Conv(strides: [2, 2], activation: .clip(min: 0, max: 6)), name: "conv", inputs: [x, w, nil, r])[0]
    let parts = try graph.add(Split(axis: 1, sizes: [1, 3]), name: "split", inputs: [conv])
    graph.addOutput("head", parts[0])
    graph.addOutput("tail", parts[1])
    #expect(
      graph.description == """
        input %x: float32[1x3x8x8]
        input %r: float32[1x4x3x3]
        constant %w: float32[4x3x3x3]
        %conv = Conv(%x, %w, _, %r) {strides: [2,2], activation: clip(0.0,6.0)} : float32[1x4x3x3]
        %split, %split:1 = Split(%conv) {axis: 1, sizes: [1,3]} : float32[1x1x3x3], float32[1x3x3x3]
        output head = %split
        output tail = %split:1
        """)
  }

  @Test func absentOperandsAtTheEndAreDropped() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 1, 2, 2]))
    let w = graph.addConstant("w", Tensor([1, 1, 1, 1], floats: [1]))
    let y = try graph.add(Conv(), name: "y", inputs: [x, w, nil, nil])[0]
    #expect(graph.producer(of: y)?.inputs == [x, w])
  }

  @Test func constantsAppearOnceAndUnreadOnesNotAtAll() throws {
    var graph = Graph()
    let c = graph.addConstant("c", Tensor([], floats: [1]))
    _ = graph.addConstant("unread", Tensor([], floats: [2]))
    graph.addOutput("y", try graph.add(Add(), name: "y", inputs: [c, c])[0])
    #expect(
      graph.description == """
        constant %c: float32[]
        %y = Add(%c, %c) : float32[]
        output y = %y
        """)
  }
}
