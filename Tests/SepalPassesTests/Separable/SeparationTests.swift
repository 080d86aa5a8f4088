import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("separate-convolutions")
struct SeparationTests {
  @Test func tenThousandDenseKernelsStay() throws {
    for seed in 0..<10_000 {
      var planted = PlantedConvolution(seed: seed)
      (planted.inputs, planted.outputs) = (2 + seed % 3, 12 + seed % 5)
      planted.kernel = [[3, 3], [5], [1, 3], [2, 2]][seed % 4]
      planted.strides = planted.kernel.map { _ in 1 }
      planted.dilations = planted.strides
      planted.padBegins = planted.strides
      planted.padEnds = planted.strides
      planted.size = 6
      planted.fillDense(scale: seed % 7 == 0 ? 1e-6 : 1)
      let graph = try planted.graph()
      for report in SeparableAnalysis(graph, .exact).layers {
        #expect(report.verdict == .keep, "seed \(seed): \(report)")
      }
    }
  }

  /// Shapes of ResNet-18 with random weights.
  @Test(arguments: [[64, 64, 3], [128, 64, 3], [256, 256, 3], [64, 3, 7], [128, 64, 1]], [0, 0.01])
  func aFullSpectrumStaysAndTheReasonSaysSo(shape: [Int], tolerance: Double) throws {
    var planted = PlantedConvolution(seed: shape[0])
    (planted.outputs, planted.inputs) = (shape[0], shape[1])
    planted.kernel = [shape[2], shape[2]]
    planted.size = 14
    planted.fillDense(scale: 0.05)
    let graph = try planted.graph()
    let separation = tolerance > 0 ? Separation.approximate(tolerance: tolerance) : .exact
    #expect(try graph.separated(separation).provenance.rewrites.isEmpty)
    for report in SeparableAnalysis(graph, separation).layers {
      #expect(report.verdict == .keep)
      #expect(report.reason.hasPrefix("the nearest that would be faster is "))
    }
  }

  /// Two layers in a row: rank 2 with a little noise, and much of it.
  private func noisy(_ noise: [Double]) throws -> Graph {
    var graph = Graph()
    var value = graph.addInput("x", TensorType(.float32, [1, 10, 10, 16]))
    for (index, level) in noise.enumerated() {
      var planted = PlantedConvolution(seed: index + 1)
      (planted.inputs, planted.outputs) = (16, 16)
      planted.plant(.depthwisePointwise, rank: 1)
      let norm = planted.weight.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let extra = planted.numbers(planted.weight.count)
      let size = extra.reduce(0) { $0 + $1 * $1 }.squareRoot()
      planted.weight = zip(planted.weight, extra).map { $0 + $1 * level * norm / size }
      let w = graph.addConstant("w\(index)", planted.tensor)
      value = try graph.add(
        Conv(padBegins: [1, 1], padEnds: [1, 1], layout: .channelsLast), name: "c\(index)",
        inputs: [value, w])[0]
    }
    graph.addOutput("y", value)
    return graph
  }

  @Test func theBudgetIsSpentOnceAndNotExceeded() throws {
    let graph = try noisy([0.02, 0.05, 0.3])
    for (tolerance, count) in [(0.001, 0), (0.03, 1), (0.07, 2), (0.5, 3)] {
      let separated = try graph.separated(.approximate(tolerance: tolerance))
      let errors = separated.provenance.rewrites.compactMap { record -> Double? in
        if case .approximate(let error) = record.exactness { return error }
        return nil
      }
      #expect(errors.count == count, "\(tolerance): \(errors)")
      #expect(errors.reduce(0) { $0 + $1 * $1 }.squareRoot() <= tolerance)
      var again = separated
      var options = Optimizer.Options()
      options.separation = .approximate(tolerance: tolerance)
      let report = try Optimizer(options).run(&again)
      #expect(report.rewrites == 0, "a second run rewrites again")
    }
    #expect(try graph.separated().provenance.rewrites.isEmpty)
  }

  @Test func aDearerReplacementIsNotTaken() throws {
    struct Dear: CostModel {
      let unit = "nodes"
      func cost(of graph: Graph) -> Double { Double(graph.nodeCount) }
    }
    let graph = try noisy([0])
    #expect(try graph.separated(.exact, cost: Dear()).nodeCount == 1)
    let report = try #require(SeparableAnalysis(graph, .exact, cost: Dear()).layers.first)
    #expect(report.verdict == .keep && report.reason == "separable, but not faster")
  }

  @Test func offLeavesEverythingAsItIs() throws {
    let graph = try noisy([0, 0.01])
    let off = try graph.separated(.off)
    #expect(text(off) == text(graph) && off.provenance.rewrites.isEmpty)
    var options = Optimizer.Options()
    options.disabledPasses = ["separate-convolutions"]
    var disabled = graph
    #expect(try Optimizer(options).run(&disabled).rewrites == 0)
    options = Optimizer.Options()
    options.stopAfter = 1
    var stopped = try noisy([0, 0])
    #expect(try Optimizer(options).run(&stopped).rewrites == 1)
    #expect(stopped.nodeCount == 3)
  }

  @Test(arguments: [Separation.exact, .approximate(tolerance: 0.2)])
  func theSameBitsOnOneThreadAndOnMany(separation: Separation) throws {
    let graph = try noisy([separation == .exact ? 0 : 0.02, 0.1])
    let first = try SerialWork.$isOn.withValue(true) { try graph.separated(separation) }
    #expect(first.nodeCount > graph.nodeCount)
    for _ in 0..<3 {
      let second = try graph.separated(separation)
      #expect(text(first) == text(second))
      for (a, b) in zip(first.values, second.values) {
        if let a = a.constant, let b = b.constant { #expect(a.isIdentical(to: b)) }
      }
    }
  }

  @Test(arguments: [Double.nan, .infinity])
  func weightsThatAreNotFiniteAreRefused(value: Double) throws {
    var planted = PlantedConvolution(seed: 1)
    planted.plant(.depthwisePointwise, rank: 1)
    planted.weight[7] = value
    let graph = try planted.graph()
    #expect(try graph.separated().nodeCount == 1)
    let report = try #require(SeparableAnalysis(graph, .exact).layers.first)
    #expect(report.verdict == .keep && report.reason == "its weights are not finite")
  }

  @Test func sharedAndComputedWeightsAreRefused() throws {
    var planted = PlantedConvolution(seed: 1)
    (planted.inputs, planted.outputs) = (16, 16)
    planted.plant(.depthwisePointwise, rank: 1)
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 8, 16]))
    let w = graph.addConstant("w", planted.tensor)
    let computed = graph.addInput("v", TensorType(.float32, [16, 16, 3, 3]))
    var value = x
    for weight in [w, w, computed] {
      value = try graph.add(planted.op, name: "c", inputs: [value, weight])[0]
    }
    graph.addOutput("y", value)
    #expect(try graph.separated().nodeCount == 3)
    #expect(
      SeparableAnalysis(graph, .exact).layers.map(\.reason) == [
        "its weights are shared with another layer", "its weights are shared with another layer",
        "its weights are computed",
      ])
  }

  @Test func otherElementTypesAreLeftAlone() throws {
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float16, [1, 8, 8, 2]))
    let w = graph.addConstant(
      "w", Tensor(.float16, [16, 2, 3, 3], doubles: [Double](repeating: 1, count: 288)))
    graph.addOutput("y", try graph.add(Conv(layout: .channelsLast), name: "c", inputs: [x, w])[0])
    #expect(try graph.separated().nodeCount == 1)
    #expect(SeparableAnalysis(graph, .exact).layers.map(\.reason) == ["its weights are not float32"])
  }

  @Test func theBoundHoldsAndIsNotLoose() throws {
    let graph = try noisy([0.1])
    let report = try #require(SeparableAnalysis(graph, .approximate(tolerance: 0.5)).layers.first)
    let bounds = try #require(report.bounds)
    let separated = try graph.separated(.approximate(tolerance: 0.5))
    #expect(separated.operators == ["Gather", "Conv", "Conv"])
    func errors(_ input: Tensor) throws -> [Double] {
      let expected = try graph.evaluate(["x": input], precision: .double)["y"]?.doubles() ?? []
      let actual = try separated.evaluate(["x": input], precision: .double)["y"]?.doubles() ?? []
      var largest = [Double](repeating: 0, count: 16)
      for (index, pair) in zip(expected, actual).enumerated() {
        largest[index % 16] = max(largest[index % 16], abs(pair.0 - pair.1))
      }
      return largest
    }
    var random = SeededGenerator(3)
    for _ in 0..<1000 {
      let observed = try errors(random.tensor([1, 10, 10, 16], in: -1...1))
      for (seen, bound) in zip(observed, bounds.absoluteSums) { #expect(seen <= bound) }
    }
    // The input whose signs are those of an output's ΔW reaches its bound.
    let weight = try #require(graph.constant(graph.nodes[0].input(1))).doubles()
    var difference = weight
    let channels = try #require(separated.constant(separated.nodes[0].input(1))?.integers()).map(Int.init)
    let (depthwise, pointwise) = (separated.nodes[1], separated.nodes[2])
    let filters = try #require(separated.constant(depthwise.input(1))).doubles()
    let factors = try #require(separated.constant(pointwise.input(1))).doubles()
    for output in 0..<16 {
      for (unit, channel) in channels.enumerated() {
        for tap in 0..<9 {
          difference[(output * 16 + channel) * 9 + tap] -=
            factors[output * channels.count + unit] * filters[unit * 9 + tap]
        }
      }
    }
    var worst = [Double](repeating: 0, count: 16)
    for output in 0..<16 {
      var values = [Double](repeating: 0, count: 1600)
      for input in 0..<16 {
        for tap in 0..<9 {
          let pixel = (4 + tap / 3) * 10 + 4 + tap % 3
          values[pixel * 16 + input] = difference[(output * 16 + input) * 9 + tap] < 0 ? -1 : 1
        }
      }
      worst[output] = try errors(Tensor(.float32, [1, 10, 10, 16], doubles: values))[output]
      #expect(worst[output] <= bounds.absoluteSums[output] * (1 + 1e-6))
      #expect(bounds.absoluteSums[output] <= 50 * worst[output])
    }
  }
}
