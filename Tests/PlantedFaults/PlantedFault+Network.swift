import SepalGraph
import SepalTensor

extension PlantedFault {
  /// Conv → BatchNorm → Relu → Clip → Conv + residual, and what passes look for around it.
  public static func network() throws -> Graph {
    var graph = Graph(name: "net")
    var state: UInt64 = 5
    // Four uniform numbers each: almost normal, of variance 1.
    func weights(_ shape: Int...) -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        (0..<4).reduce(0.0) { sum, _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return sum + (Double(state >> 11) * 0x1p-53 - 0.5) * 3.0.squareRoot()
        }
      }
      return Tensor(.float32, shape, doubles: values)
    }
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 40, 40]))
    let w1 = graph.addConstant("w1", weights(16, 3, 3, 3))
    let first = try graph.add(
      Conv(strides: [2, 2], padBegins: [0, 0], padEnds: [1, 1]), name: "first", inputs: [x, w1],
      outputNames: ["first_out"])
    graph.addOrigins([Origin("first_out")], to: first[0])
    let statistics = ["gamma", "beta", "mean"].map { graph.addConstant($0, weights(16)) }
    let variance = graph.addConstant("variance", Tensor([16], floats: (0..<16).map { 0.5 + Float($0) }))
    let norm = try graph.add(BatchNorm(), name: "norm", inputs: [first[0]] + statistics + [variance])
    graph.addOrigins([Origin("norm_out")], to: norm[0])
    let clip = try graph.add(Clip(min: 0, max: 6), name: "clip", inputs: [norm[0]])
    graph.addOrigins([Origin("clip_out")], to: clip[0])
    let w2 = graph.addConstant("w2", weights(16, 16, 1, 1))
    let second = try graph.add(Conv(), name: "second", inputs: [clip[0], w2])
    graph.addOrigins([Origin("second_out")], to: second[0])
    let sum = try graph.add(Add(), name: "sum", inputs: [second[0], clip[0]])
    graph.addOrigins([Origin("sum_out")], to: sum[0])
    let relu = try graph.add(Relu(), name: "relu", inputs: [sum[0]])
    graph.addOrigins([Origin("relu_out")], to: relu[0])
    graph.addOutput("y", relu[0])
    return graph
  }
}
