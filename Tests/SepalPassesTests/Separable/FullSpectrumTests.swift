import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("a whole network of random weights stays as it is")
struct FullSpectrumTests {
  /// The layers of ResNet-18 for small images, channels-last, shortcuts and activations fused.
  private static func resNet18() throws -> Graph {
    var random = SeededGenerator(18)
    var graph = Graph(name: "resnet18")
    func conv(
      _ name: String, _ x: ValueID, _ outputs: Int, _ side: Int, stride: Int = 1, residual: ValueID? = nil,
      activation: Activation = .relu
    ) throws -> ValueID {
      let inputs = graph.type(of: x).shape[3]
      let limit = (6 / Double(inputs * side * side)).squareRoot()
      let w = graph.addConstant(
        "\(name).weight", random.tensor([outputs, inputs, side, side], in: -limit...limit))
      let b = graph.addConstant("\(name).bias", random.tensor([outputs], in: -0.1...0.1))
      let op = Conv(
        strides: [stride, stride], padBegins: [side / 2, side / 2], padEnds: [side / 2, side / 2],
        dilations: [1, 1], layout: .channelsLast, activation: activation)
      return try graph.add(op, name: name, inputs: [x, w, b, residual])[0]
    }
    let x = graph.addInput("x", TensorType(.float32, [1, 32, 32, 3]))
    var value = try conv("stem", x, 64, 7, stride: 2)
    value = try graph.add(
      MaxPool(kernel: [3, 3], strides: [2, 2], padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast),
      name: "pool", inputs: [value])[0]
    for (stage, channels) in [64, 128, 256, 512].enumerated() {
      for block in 0..<2 {
        let name = "layer\(stage + 1).\(block)"
        let stride = stage > 0 && block == 0 ? 2 : 1
        let shortcut =
          stride == 1
          ? value : try conv("\(name).down", value, channels, 1, stride: stride, activation: .identity)
        let middle = try conv("\(name).conv1", value, channels, 3, stride: stride)
        value = try conv("\(name).conv2", middle, channels, 3, residual: shortcut)
      }
    }
    value = try graph.add(
      GlobalAveragePool(layout: .channelsLast, keepDims: false), name: "mean", inputs: [value])[0]
    let w = graph.addConstant("fc.weight", random.tensor([1000, 512], in: -0.1...0.1))
    graph.addOutput("y", try graph.add(Gemm(transB: true), name: "fc", inputs: [value, w])[0])
    return graph
  }

  @Test func nothingIsRewrittenAndEachLayerSaysWhy() throws {
    let graph = try Self.resNet18()
    let convolutions = graph.nodes.filter { $0.op is Conv && !$0.name.hasSuffix("down") }.map(\.name)
    #expect(convolutions.count == 17)
    for separation in [Separation.exact, .approximate(tolerance: 0.01)] {
      let separated = try graph.separated(separation)
      #expect(separated.provenance.rewrites.isEmpty)
      #expect(separated.operators == graph.operators)
      let layers = SeparableAnalysis(graph, separation).layers
      #expect(layers.map(\.name) == convolutions)
      for layer in layers {
        let error = try #require(layer.choice).relativeError
        #expect(layer.verdict == .keep && error > 0.05, "\(layer.name): \(error)")
        #expect(layer.reason.hasPrefix("the nearest that would be faster is "), "\(layer.name)")
        #expect(layer.reason.hasSuffix("budget is spent") == (separation != .exact), "\(layer.name)")
      }
    }
  }
}
