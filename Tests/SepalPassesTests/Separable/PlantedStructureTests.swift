import Foundation
import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("planted structure is found, and the result computes the same")
struct PlantedStructureTests {
  struct Plan: Sendable, CustomTestStringConvertible {
    var structure: SeparableStructure
    var rank: Int
    var kernel: [Int]
    var variant: Int
    var testDescription: String { "\(structure), rank \(rank), \(kernel), variant \(variant)" }

    var convolution: PlantedConvolution {
      var planted = PlantedConvolution(seed: variant * 31 + rank)
      let axes = kernel.count
      planted.kernel = kernel
      (planted.inputs, planted.outputs) = variant % 2 == 0 ? (12, 40) : (20, 24)
      planted.strides = (0..<axes).map { 1 + (variant + $0) % 2 }
      planted.dilations = (0..<axes).map { 1 + (variant / 2 + $0) % 2 }
      planted.padBegins = (0..<axes).map { (variant + $0) % 3 }
      planted.padEnds = (0..<axes).map { (variant / 3 + 2 * $0) % 4 }
      planted.size = 17
      planted.hasResidual = variant % 3 == 2
      planted.activation = [.identity, .relu, .hardSwish][variant % 3]
      return planted
    }
  }

  static let plans: [Plan] = [SeparableStructure.depthwisePointwise, .pointwiseDepthwise].flatMap {
    structure in
    (1...4).flatMap { rank in
      [[3], [5], [7], [3, 3], [5, 5], [7, 7], [3, 5], [2, 3, 3]].enumerated().map { index, kernel in
        Plan(structure: structure, rank: rank, kernel: kernel, variant: index + rank)
      }
    }
  }

  @Test(arguments: plans)
  func bothOrders(_ plan: Plan) throws {
    guard plan.rank < plan.kernel.reduce(1, *) else { return }
    var planted = plan.convolution
    planted.plant(plan.structure, rank: plan.rank)
    let graph = try planted.graph()
    let node = try #require(graph.nodes.first)
    let layer = try #require(try? SeparableLayer.layer(node, in: graph)?.get())
    #expect(LayerStructure(layer, plan.structure).spectrum.exactRank == plan.rank)

    let separated = try graph.separated()
    let report = try #require(SeparableAnalysis(graph, .exact).layers.first)
    if report.verdict == .rewrite {
      let choice = try #require(report.choice)
      #expect(choice.isExact && choice.macs < report.macs)
      #expect(MACCost().cost(of: separated) == Double(choice.macs))
      #expect(separated.provenance.rewrites.map(\.exactness) == [.reassociated])
      #expect(try #require(report.bounds).relativeError < 1e-6)
    } else {
      // As many weights as before, or more.
      let own = plan.structure == .depthwisePointwise ? planted.inputs : planted.outputs
      #expect(plan.rank * (own * planted.taps + planted.inputs * planted.outputs) * 2 >= planted.weight.count)
      #expect(separated.nodeCount == 1)
    }
    try expectEquivalent(graph, separated, tolerance: 1e-5)
    var again = separated
    #expect(try Optimizer().run(&again).rewrites == 0)
  }

  /// Each channel counts as often as its rank says; channels without weights vanish.
  @Test(arguments: [Layout.channelsLast, .channelsFirst])
  func ranksOfTheirOwnForEachChannel(layout: Layout) throws {
    let ranks = [1, 2, 3, 1, 0, 1, 5, 1, 2, 1, 1, 9]
    var planted = PlantedConvolution(seed: 17)
    planted.plant(ranks: ranks)
    planted.hasResidual = true
    planted.layout = layout
    let graph = try planted.graph()
    let report = try #require(SeparableAnalysis(graph, .exact).layers.first)
    #expect(report.verdict == .rewrite && report.choice?.ranks == .ofChannels(ranks))
    let separated = try graph.separated()
    let total = ranks.reduce(0, +)
    #expect(MACCost().cost(of: separated) == Double(13 * 13 * total * (9 + planted.outputs)))
    #expect(separated.provenance.rewrites.contains { $0.exactness == .reassociated })
    try expectEquivalent(graph, separated, tolerance: 1e-5)
    var again = separated
    #expect(try Optimizer().run(&again).rewrites == 0)
  }

  @Test func ranksOfTheirOwnInATransposedConvolution() throws {
    let ranks = [1, 3, 1, 1, 2, 0, 1, 1]
    var planted = PlantedConvolution(seed: 19)
    (planted.inputs, planted.outputs) = (8, 24)
    planted.plant(ranks: ranks)
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 6, 6, 8]))
    let weight = SeparableLayer.exchanged(planted.weight, groups: 1, first: 24, second: 8)
    let w = graph.addConstant("w", Tensor(.float32, [8, 24, 3, 3], doubles: weight))
    let op = ConvTranspose(strides: [2, 2], padBegins: [1, 0], padEnds: [1, 1], layout: .channelsLast)
    graph.addOutput("y", try graph.add(op, name: "up", inputs: [x, w])[0])
    let separated = try graph.separated()
    #expect(separated.operators == ["Gather", "ConvTranspose", "Conv"])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  /// Where channels differ, the same number of products serves them better when it is not the same for each.
  @Test(arguments: 1...4)
  func ranksOfTheirOwnLoseLess(rank: Int) throws {
    var planted = PlantedConvolution(seed: 23)
    planted.fillDense()
    for index in planted.weight.indices {
      let (channel, tap) = (index / 9 % planted.inputs, index % 9)
      planted.weight[index] *= Double(1 + channel) * pow(0.3 + 0.05 * Double(channel), Double(tap))
    }
    planted.activation = .identity
    let graph = try planted.graph()
    let layer = try #require(try? SeparableLayer.layer(graph.nodes[0], in: graph)?.get())
    let structure = LayerStructure(layer, .depthwisePointwise)
    let ranks = structure.spectrum.order.ranks(total: rank * planted.inputs)
    #expect(Set(ranks).count > 1 && ranks.reduce(0, +) == rank * planted.inputs)
    func error(_ ranks: SeparableRanks) throws -> (weights: Double, outputs: Double, macs: Double) {
      var report = try #require(SeparableAnalysis(graph, .exact).layers.first)
      report.verdict = .rewrite
      report.choice = .init(
        structure: .depthwisePointwise, ranks: ranks, relativeError: 0, macs: 0, cost: 0, isExact: false)
      let (rewrite, bounds) = try #require(SeparateConvolutions().rewrite(report, in: graph))
      var result = graph
      _ = try result.apply(rewrite, pass: "test")
      var random = SeededGenerator(3)
      var sum = 0.0
      for _ in 0..<4 {
        let input = ["x": random.tensor(graph.type(of: graph.inputs[0]).shape, in: -1...1)]
        let want = try #require(try graph.evaluate(input, precision: .double)["y"]).doubles()
        let have = try #require(try result.evaluate(input, precision: .double)["y"]).doubles()
        sum += zip(want, have).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      return (bounds.relativeError, sum, MACCost().cost(of: result))
    }
    let (own, equal) = (try error(.ofChannels(ranks)), try error(.equal(rank)))
    #expect(own.macs == equal.macs)
    #expect(own.weights < 0.95 * equal.weights && own.outputs < 0.95 * equal.outputs)
    // And what is reported is what is lost.
    let lost = structure.spectrum.order.squaredError(total: rank * planted.inputs)
    #expect(abs(own.weights - (lost / structure.spectrum.total).squareRoot()) < 1e-6)
  }

  @Test(arguments: 1...4)
  func columnsAndRows(_ rank: Int) throws {
    var planted = PlantedConvolution(seed: rank)
    planted.kernel = [5, 3]
    planted.strides = [2, 1]
    planted.dilations = [1, 2]
    planted.padBegins = [0, 2]
    planted.padEnds = [3, 1]
    planted.plantSpatial(rank: rank)
    let graph = try planted.graph()
    let report = try #require(SeparableAnalysis(graph, .exact).layers.first)
    #expect(
      report.verdict == .rewrite && report.choice?.structure == .spatial
        && report.choice?.ranks == .equal(rank))
    let separated = try graph.separated()
    #expect(separated.operators == ["Conv", "Conv"])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  /// Separable in either order; the long factor goes where there are fewer channels.
  @Test(arguments: [([7, 3], SeparableStructure.spatial), ([3, 7], .spatialReversed)])
  func theCheaperOfBothOrders(kernel: [Int], order: SeparableStructure) throws {
    var planted = PlantedConvolution(seed: 3)
    planted.kernel = kernel
    planted.strides = [2, 1]
    planted.padBegins = [0, 2]
    let (outputs, inputs) = (planted.numbers(planted.outputs), planted.numbers(planted.inputs))
    let (column, row) = (planted.numbers(kernel[0]), planted.numbers(kernel[1]))
    planted.weight = outputs.flatMap { o in
      inputs.flatMap { i in column.flatMap { y in row.map { x in o * i * y * x } } }
    }
    let graph = try planted.graph()
    let choice = try #require(SeparableAnalysis(graph, .exact).layers.first?.choice)
    #expect(choice.structure == order && choice.ranks == .equal(1))
    try expectEquivalent(graph, try graph.separated(), tolerance: 1e-5)
  }

  @Test func groupsStayGroups() throws {
    var planted = PlantedConvolution(seed: 5)
    (planted.inputs, planted.outputs, planted.groups) = (16, 48, 4)
    planted.plant(.depthwisePointwise, rank: 1)
    let graph = try planted.graph()
    let separated = try graph.separated()
    #expect(separated.nodes.compactMap { $0.op(as: Conv.self)?.groups } == [16, 4])
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  @Test(arguments: [SeparableStructure.depthwisePointwise, .pointwiseDepthwise])
  func transposedConvolutions(_ structure: SeparableStructure) throws {
    var planted = PlantedConvolution(seed: 9)
    (planted.inputs, planted.outputs) = (10, 30)
    planted.plant(structure, rank: 1)
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [1, 6, 6, 10]))
    let weight = SeparableLayer.exchanged(planted.weight, groups: 1, first: 30, second: 10)
    let w = graph.addConstant("w", Tensor(.float32, [10, 30, 3, 3], doubles: weight))
    let op = ConvTranspose(
      strides: [2, 2], padBegins: [1, 0], padEnds: [1, 1], outputPadding: [1, 0], layout: .channelsLast,
      activation: .relu)
    graph.addOutput("y", try graph.add(op, name: "up", inputs: [x, w])[0])
    let separated = try graph.separated()
    #expect(separated.nodeCount == 2)
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }

  @Test(arguments: [true, false])
  func denseLayersOfLowRank(transB: Bool) throws {
    var planted = PlantedConvolution(seed: 3)
    let (narrow, wide) = (planted.numbers(5 * 64), planted.numbers(48 * 5))
    var product = [Double](repeating: 0, count: 64 * 48)
    for output in 0..<48 {
      for input in 0..<64 {
        let sum = (0..<5).reduce(0.0) { $0 + wide[output * 5 + $1] * narrow[$1 * 64 + input] }
        product[transB ? output * 64 + input : input * 48 + output] = sum
      }
    }
    var graph = Graph()
    let x = graph.addInput("x", TensorType(.float32, [2, 64]))
    let w = graph.addConstant("w", Tensor(.float32, transB ? [48, 64] : [64, 48], doubles: product))
    let b = graph.addConstant("b", Tensor(.float32, [48], doubles: planted.numbers(48)))
    graph.addOutput(
      "y", try graph.add(Gemm(transB: transB, activation: .relu), name: "fc", inputs: [x, w, b])[0])
    let separated = try graph.separated()
    #expect(separated.operators == ["Gemm", "Gemm"])
    #expect(MACCost().cost(of: separated) == Double(2 * 5 * (64 + 48)))
    try expectEquivalent(graph, separated, tolerance: 1e-5)
  }
}
