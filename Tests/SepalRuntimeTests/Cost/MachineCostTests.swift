import SepalGraph
import SepalRuntime
import SepalTensor
import Testing

/// Predictions from rates that are given. What a machine really takes is nothing to test.
@Suite struct MachineCostTests {
  private func cost() throws -> MachineCost {
    MachineCost(try #require(MachineRates.table()), InstructionSet.best)
  }

  /// x → convolutions, each (channels, kernel, groups).
  private func chain(_ side: Int, _ channels: Int, _ layers: [(Int, [Int], Int)]) throws -> Graph {
    var m = GraphMaker()
    var (x, inputs) = (m.input([1, side, side, channels]), channels)
    for (outputs, kernel, groups) in layers {
      let pads = kernel.map { $0 / 2 }
      let conv = Conv(padBegins: pads, padEnds: pads, groups: groups, layout: .channelsLast)
      x = try m.add(conv, [x, m.weight([outputs, inputs / groups] + kernel)])
      inputs = outputs
    }
    m.output(x)
    return m.graph
  }

  @Test func aPredictionIsTheSumOfItsSteps() throws {
    let cost = try cost()
    let graph = try chain(16, 32, [(32, [3, 3], 1), (32, [3, 3], 32), (64, [1, 1], 1)])
    let steps = try cost.steps(of: graph)
    let sum = steps.reduce(0) { $0 + $1.milliseconds }
    #expect(abs(try cost.milliseconds(of: graph) - sum) <= 1e-12 * sum)
    #expect(steps.flatMap(\.nodes).count == graph.nodeCount)
    #expect(steps.filter { !$0.nodes.isEmpty }.allSatisfy { $0.milliseconds > 0 })
  }

  @Test func thePlanThatIsPricedIsTheOneThatRuns() throws {
    let graph = try chain(28, 64, [(64, [3, 3], 64), (128, [1, 1], 1), (128, [3, 3], 1)])
    let plan = try Model(graph).plan
    #expect(try cost().steps(of: graph).map(\.kernel) == plan.steps.map(\.kernel))
  }

  @Test func aPredictionIsTheSameBitsEveryTime() throws {
    let (first, second) = (try cost(), try cost())
    let graph = try chain(20, 24, [(48, [3, 3], 1), (48, [5, 5], 48)])
    #expect(try first.milliseconds(of: graph) == second.milliseconds(of: graph))
  }

  @Test func withinANetworkImagesComeInTheFormThatConvolutionsPrefer() throws {
    let cost = try cost()
    let vector = 16
    // Blocked at both ends: the copies are not counted.
    let dense = try chain(12, 4 * vector, [(4 * vector, [3, 3], 1)])
    let steps = try cost.steps(of: dense)
    let inner = steps.filter { !$0.nodes.isEmpty }.reduce(0) { $0 + $1.milliseconds }
    #expect(steps.count == 3)
    #expect(abs(try cost.milliseconds(of: dense, borders: .network) - inner) <= 1e-9 * inner)
    // Row-major at both ends: copies are missing.
    let multiplied = try chain(12, 4 * vector, [(8 * vector, [3, 3], 4 * vector)])
    #expect(try cost.steps(of: multiplied).count == 1)
    #expect(
      try cost.milliseconds(of: multiplied, borders: .network) > cost.milliseconds(of: multiplied))
    // A picture comes as it is.
    let picture = try chain(12, 3, [(4 * vector, [3, 3], 1)])
    #expect(
      try cost.milliseconds(of: picture, borders: .network) <= cost.milliseconds(of: picture))
  }

  @Test func whatCannotBePlannedIsAnError() throws {
    let cost = try cost()
    var m = GraphMaker()
    m.output(try m.add(Relu(), [m.input([1 << 17, 1 << 15])]))
    #expect(throws: RuntimeError.self) { try cost.milliseconds(of: m.graph) }
    if let missing = InstructionSet.allCases.first(where: { !$0.isAvailable }) {
      #expect(throws: RuntimeError.self) { try MachineCost(instructionSet: missing, cache: nil) }
    }
  }

  @Test func aCalibrationOfThisMachineGivesPositivePredictions() throws {
    let cost = try MachineCost(cache: nil)
    for layers: [(Int, [Int], Int)] in [
      [(32, [3, 3], 1)], [(32, [3, 3], 32)], [(64, [1, 1], 1)], [(64, [3, 3], 32)], [(8, [5, 5], 1)],
    ] {
      let milliseconds = try cost.milliseconds(of: try chain(14, 32, layers))
      #expect(milliseconds > 0 && milliseconds.isFinite)
    }
  }
}
