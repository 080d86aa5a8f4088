import Sepal
import Testing

/// Convolutions fitted by separable terms, against NumPy and on a trained network.
struct SeparableApproximationTests {
  /// Costs less with so many depthwise convolutions that have so many channels together, gathered or not, and with no
  /// others.
  private struct Wanting: CostModel {
    let unit = "wishes"
    let terms, channels: Int
    var gathers = false

    func cost(of graph: Graph) -> Double {
      guard graph.nodes.contains(where: { $0.op is Gather }) == gathers else { return 100 }
      let groups = graph.nodes.compactMap { $0.op(as: Conv.self)?.groups }.filter { $0 > 1 }
      return groups.isEmpty ? 100 : groups.count == terms && groups.reduce(0, +) == channels ? 1 : 50
    }
  }

  private struct Flat: CostModel {
    let unit = "layers"

    func cost(of graph: Graph) -> Double { 1 }
  }

  /// The images that were recorded, whatever the graph: first those of the original, then those of what has changed.
  private final class Recorded: ActivationSource {
    let images: [[Tensor]]
    private var runs = 0
    var count: Int { images[0].count }

    init(_ images: [[Tensor]]) { self.images = images }

    func run(_ graph: Graph, observing values: Set<ValueID>, _ observe: (Int, ValueID, Tensor) -> Void) {
      defer { runs += 1 }
      for value in values {
        for (index, image) in images[min(runs, 1)].enumerated() { observe(index, value, image) }
      }
    }
  }

  private struct Fit {
    let arrays: [String: Tensor]
    init() throws { arrays = try NumpyFile.read(path: Fixtures.path("separable_fit/fit.npz")) }
    func array(_ name: String) throws -> Tensor { try #require(arrays[name]) }
    func number(_ name: String) throws -> Double { try #require(try array(name).doubles().first) }

    func images(_ name: String) throws -> [Tensor] {
      let all = try array(name).floats()
      let size = 7 * 7 * 5
      return stride(from: 0, to: all.count, by: size).map {
        Tensor([1, 7, 7, 5], floats: Array(all[$0..<$0 + size]))
      }
    }

    func graph(_ weight: Tensor, _ bias: Tensor) throws -> Graph {
      var graph = Graph(name: "fit")
      let x = graph.addInput("x", TensorType(.float32, [1, 7, 7, 5]))
      let conv = Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast, activation: .relu)
      let y = try graph.add(
        conv, name: "conv",
        inputs: [
          x, graph.addConstant("w", weight.converted(to: .float32)),
          graph.addConstant("b", bias.converted(to: .float32)),
        ])[0]
      graph.addOutput("y", y)
      return graph
    }
  }

  @Test(arguments: 1...3)
  func theFitToSamplesIsNumPys(terms: Int) throws {
    let layer = try expectNumPysFit(Wanting(terms: terms, channels: 5 * terms), "\(terms)")
    #expect(layer.terms == terms && layer.ranks == nil)
  }

  @Test func theFitWithRanksByChannelIsNumPys() throws {
    let ranks = try #require(try Fit().array("ranks").integers()).map(Int.init)
    #expect(Set(ranks).count > 1)
    let layer = try expectNumPysFit(Wanting(terms: 1, channels: ranks.reduce(0, +), gathers: true), "_own")
    #expect(layer.terms == ranks.max() && layer.ranks == ranks)
  }

  private func expectNumPysFit(_ cost: Wanting, _ name: String) throws -> SeparableApproximation.Layer {
    let fit = try Fit()
    var graph = try fit.graph(try fit.array("weight"), try fit.array("bias"))
    let source = Recorded([try fit.images("exact"), try fit.images("changed")])
    let layers = try SeparableApproximation(tolerance: 0.99).run(&graph, samples: source, cost: cost)
    let layer = try #require(layers.first)
    let (lost, error) = (try fit.number("lost\(name)"), try fit.number("error\(name)"))
    #expect(abs(layer.predictedError * layer.predictedError - lost) <= 1e-6 * lost)
    #expect(abs(layer.sampleError - error.squareRoot()) <= 1e-6)

    let expected = try fit.graph(try fit.array("weight\(name)"), try fit.array("bias\(name)"))
    for image in try fit.images("changed") {
      let want = try #require(try expected.evaluate(["x": image], precision: .double)["y"]).doubles()
      let have = try #require(try graph.evaluate(["x": image], precision: .double)["y"]).doubles()
      let scale = want.map(\.magnitude).max() ?? 1
      #expect(zip(want, have).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
    }
    return layer
  }

  @Test func whatIsSeparableIsFoundWithoutError() throws {
    let fit = try Fit()
    // One filter for each input channel, times a matrix.
    let filters = try fit.images("exact")[0].floats()
    let matrix = try fit.array("weight").floats()
    let weight = (0..<315).map { (index: Int) -> Float in
      let place = index / 45 * 45 + index / 9 % 5
      return filters[index % 45] * matrix[place]
    }
    let samples = Recorded([try fit.images("changed"), try fit.images("changed")])
    var graph = try fit.graph(Tensor([7, 5, 3, 3], floats: weight), try fit.array("bias"))
    let layers = try SeparableApproximation(tolerance: 1e-3).run(&graph, samples: samples, cost: MACCost())
    #expect(layers.map(\.terms) == [1])
    #expect(layers[0].weightError < 1e-3 && layers[0].sampleError < 1e-3)
  }

  @Test func nothingIsDoneWithoutGainOrBeyondTheTolerance() throws {
    let fit = try Fit()
    let original = try fit.graph(try fit.array("weight"), try fit.array("bias"))
    for (tolerance, cost) in [(1e-3, MACCost() as any CostModel), (0.99, Flat())] {
      var graph = original
      let samples = Recorded([try fit.images("exact"), try fit.images("changed")])
      let layers = try SeparableApproximation(tolerance: tolerance).run(&graph, samples: samples, cost: cost)
      #expect(layers.map(\.terms) == [0])
      #expect(!layers[0].reason.isEmpty)
      #expect(graph.description == original.description)
    }
  }

  /// The trained network: a curve point each with and without samples.
  @Test func samplesKeepTheAccuracyOfATrainedNetworkWithFewerMultiplyAdds() throws {
    var original = try ModelFile(path: Fixtures.path("dense_cnn/dense_cnn.onnx")).graph
    try Optimizer().run(&original)
    let samples = RuntimeActivations(
      try CalibrationSamples(
        path: Fixtures.path("dense_cnn/calibration.npz"), for: original, mostSamples: 128))
    var (fitted, plain) = (original, original)
    let approximation = SeparableApproximation(tolerance: 0.5)
    let layers = try approximation.run(&fitted, samples: samples, cost: MACCost())
    var options = Optimizer.Options()
    options.separation = .approximate(tolerance: 0.5)
    try Optimizer(options).run(&plain)
    #expect(layers.contains { $0.terms > 0 })
    #expect(MACCost().cost(of: original) >= 2.5 * MACCost().cost(of: fitted))
    let (before, after) = (try accuracy(original), try accuracy(fitted))
    #expect(after >= before - 0.01)
    #expect(after >= (try accuracy(plain)))
    // Again, with the same result to the last bit.
    var again = original
    _ = try approximation.run(&again, samples: samples, cost: MACCost())
    #expect(
      zip(fitted.values, again.values).allSatisfy { a, b in
        guard let a = a.constant, let b = b.constant else { return a.constant == nil && b.constant == nil }
        return a.isIdentical(to: b)
      })
  }

  private func accuracy(_ graph: Graph) throws -> Double {
    let test = try DigitImages("test")
    let labels = try #require(test.labels)
    let session = try Model(graph).makeSession()
    var correct = 0
    for index in test.indices {
      let logits = try #require(try session.run(inputs: ["image": test[index]])["logits"]).doubles()
      if logits.indices.max(by: { logits[$0] < logits[$1] }) == Int(labels[index]) { correct += 1 }
    }
    return Double(correct) / Double(labels.count)
  }
}
