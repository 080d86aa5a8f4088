import SepalGraph
import SepalTensor
import SepalValidation
import Testing

struct ValidatorTests {
  /// Conv → Conv → GlobalAveragePool, channels-last, with room for planted faults.
  private func network(
    secondBias: Float = 0.5, padBegins: [Int] = [1, 1], activation: Activation = .clip(min: 0, max: 6),
    outputName: String = "y"
  ) throws -> Graph {
    var graph = Graph(name: "net")
    var generator = InputGenerator(seed: 9)
    let x = graph.addInput("x", TensorType(.float32, [1, 9, 9, 3]))
    let w1 = graph.addConstant("w1", generator.tensor(TensorType(.float32, [8, 3, 3, 3])))
    let w2 = graph.addConstant("w2", generator.tensor(TensorType(.float32, [5, 8, 1, 1])))
    let b2 = graph.addConstant("b2", Tensor([5], floats: [0.1, 0.2, secondBias, 0.4, 0.3]))
    let first = try graph.add(
      Conv(
        strides: [2, 2], padBegins: padBegins, padEnds: [2 - padBegins[0], 2 - padBegins[1]],
        layout: .channelsLast, activation: activation), name: "first", inputs: [x, w1])
    graph.addOrigins([Origin("first_out")], to: first[0])
    let second = try graph.add(Conv(layout: .channelsLast), name: "second", inputs: [first[0], w2, b2])
    graph.addOrigins([Origin("second_out")], to: second[0])
    let pooled = try graph.add(
      GlobalAveragePool(layout: .channelsLast, keepDims: false), name: "pool", inputs: [second[0]])
    graph.addOutput(outputName, pooled[0])
    return graph
  }

  private func report(_ converted: Graph) throws -> ValidationReport {
    let options = Validator.Options()
    return try Validator(original: try network(), converted: converted, options: options).run()
  }

  @Test func aGraphIsEquivalentToItself() throws {
    let report = try report(try network())
    #expect(report.isEquivalent)
    #expect(report.samples == InputKind.allCases.map(\.rawValue))
    #expect(report.steps.count > 1)
    #expect(report.firstWrongStep == nil)
    #expect(report.layers.map(\.origin) == ["first_out", "second_out"])
    #expect(report.firstDivergence == nil)
  }

  @Test func aWrongBiasIsFoundInItsLayer() throws {
    let report = try report(try network(secondBias: -0.5))
    #expect(!report.isEquivalent)
    #expect(report.firstDivergence?.origin == "second_out")
  }

  @Test func swappedPadsAreFoundInTheirLayer() throws {
    let report = try report(try network(padBegins: [0, 1]))
    #expect(!report.isEquivalent)
    #expect(report.firstDivergence?.origin == "first_out")
  }

  @Test func aClipKneeThatIsSlightlyOffIsFound() throws {
    #expect(!(try report(try network(activation: .clip(min: 0, max: 5.9)))).isEquivalent)
  }

  @Test func equalSeedsGiveEqualInputsAndOthersDoNot() throws {
    let graph = try network()
    var (first, second, other) = (InputGenerator(seed: 3), InputGenerator(seed: 3), InputGenerator(seed: 4))
    let x = try #require(first.inputs(for: graph)["x"])
    #expect(try #require(second.inputs(for: graph)["x"]).isIdentical(to: x))
    #expect(!(try #require(other.inputs(for: graph)["x"]).isIdentical(to: x)))
    let values = x.doubles()
    let mean = values.reduce(0, +) / Double(values.count)
    #expect(mean.magnitude < 0.3)
  }
}

struct ComparisonTests {
  private func compare(_ actual: [Float], _ reference: [Float]) -> Comparison {
    Comparison(
      Tensor([1, actual.count], floats: actual), reference: Tensor([1, reference.count], floats: reference),
      by: .tolerance(Tolerance()))
  }

  @Test func figuresAreThoseOfTheirDefinitions() {
    let comparison = compare([1, 2, 4.5], [1, 2, 4])
    #expect(comparison.maxAbsolute == 0.5)
    #expect(comparison.maxRelative == 0.125)
    #expect((comparison.rmsRelative - 0.5 / 21.0.squareRoot()).magnitude < 1e-12)
    #expect((comparison.cosine - 23 / (21.0 * 25.25).squareRoot()).magnitude < 1e-12)
    #expect(comparison.top1Agrees)
    #expect(!comparison.isWithinBound)
  }

  static let specialValues: [([Float], [Float], Bool)] = [
    ([.nan, 1], [.nan, 1], true), ([.nan, 1], [0, 1], false), ([.infinity, 1], [.infinity, 1], true),
    ([.infinity, 1], [1e30, 1], false), ([-.infinity, 1], [.infinity, 1], false), ([0, 0], [0, 0], true),
    ([1e-7, 0], [0, 0], true), ([1e-3, 0], [0, 0], false),
  ]

  @Test(arguments: specialValues)
  func specialValuesMustMatch(actual: [Float], reference: [Float], isEqual: Bool) {
    #expect(compare(actual, reference).isWithinBound == isEqual)
  }

  @Test func aSwappedWinnerIsSeen() {
    #expect(!compare([1, 3, 2], [1, 2, 3]).top1Agrees)
    #expect(compare([1, 3, 3], [1, 3, 3]).top1Agrees)
  }
}
