import SepalGraph
import SepalTensor
import SepalValidation
import Testing

struct StructureComparisonTests {
  private static let type = TensorType(.float32, [1, 4, 4, 2])

  /// A graph of one input 'x' whose outputs are what `body` returns.
  private func graph(
    prefix: String = "", _ body: (inout Graph, ValueID) throws -> [ValueID]
  ) throws -> Graph {
    var graph = Graph(name: prefix)
    let x = graph.addInput(prefix + "x", Self.type)
    for (index, output) in try body(&graph, x).enumerated() { graph.addOutput("\(prefix)y\(index)", output) }
    try graph.verify()
    return graph
  }

  private func weight(_ first: Float = 0.25, count: Int = 2) -> Tensor {
    Tensor([count, 2, 1, 1], floats: [first] + (1..<2 * count).map { Float($0) / 8 })
  }

  /// Conv → Relu → Add with the Conv: enough to place differences in.
  private func network(
    prefix: String = "", weight: Tensor? = nil, strides: [Int] = [1, 1], swapsAdd: Bool = false,
    extra: (any Operator)? = nil
  ) throws -> Graph {
    try graph(prefix: prefix) { graph, x in
      let w = graph.addConstant(prefix + "w", weight ?? self.weight())
      var y = try graph.add(
        Conv(strides: strides, layout: .channelsLast), name: prefix + "conv", inputs: [x, w])[0]
      if let extra { y = try graph.add(extra, name: prefix + "extra", inputs: [y])[0] }
      graph.addOrigins([Origin(prefix + "source")], to: y)
      let z = try graph.add(Relu(), name: prefix + "relu", inputs: [y])[0]
      return try graph.add(Add(), name: prefix + "add", inputs: swapsAdd ? [z, y] : [y, z])
    }
  }

  private func compare(_ first: Graph, _ second: Graph) -> StructureComparison {
    StructureComparison(first, second)
  }

  @Test func namesAndTheOrderOfCommutativeOperandsDoNotMatter() throws {
    let comparison = compare(try network(), try network(prefix: "other/", swapsAdd: true))
    #expect(comparison.isSame, "\(comparison)")
    #expect(
      [comparison.firstNodeCount, comparison.secondNodeCount, comparison.commonNodeCount] == [3, 3, 3])
  }

  @Test func theOrderInWhichNodesWereAddedDoesNotMatter() throws {
    func branches(reversed: Bool) throws -> Graph {
      try graph { graph, x in
        var results: [String: ValueID] = [:]
        for name in reversed ? ["tanh", "relu"] : ["relu", "tanh"] {
          let op: any Operator = name == "relu" ? Relu() : Tanh()
          results[name] = try graph.add(op, name: name, inputs: [x])[0]
        }
        return try graph.add(Sub(), name: "sub", inputs: [results["relu"], results["tanh"]])
      }
    }
    #expect(compare(try branches(reversed: false), try branches(reversed: true)).isSame)
  }

  @Test func theOrderOfOtherOperandsMatters() throws {
    func difference(swapped: Bool) throws -> Graph {
      try graph { graph, x in
        let y = try graph.add(Relu(), name: "relu", inputs: [x])[0]
        return try graph.add(Sub(), name: "sub", inputs: swapped ? [y, x] : [x, y])
      }
    }
    #expect(!compare(try difference(swapped: false), try difference(swapped: true)).isSameStructure)
  }

  @Test func anAttributeIsOneDifferenceThatNamesBothNodes() throws {
    let comparison = compare(try network(), try network(prefix: "b/", strides: [2, 2]))
    let difference = try #require(comparison.differences.first)
    #expect(comparison.differences.count == 1)
    #expect(difference.message == "'strides' is [1,1] and [2,2]")
    #expect(difference.first.map(\.name) == ["conv"] && difference.second.map(\.name) == ["b/conv"])
    #expect(difference.second[0].op == "Conv {strides: [2,2], layout: channelsLast}")
    #expect(difference.second[0].type == "float32[1x2x2x2]")
    #expect(difference.second[0].origins == ["b/source"])
    #expect(comparison.commonNodeCount == 2)
  }

  @Test func anExtraNodeIsOneDifference() throws {
    let (plain, longer) = (try network(), try network(extra: Tanh()))
    var comparison = compare(plain, longer)
    #expect(comparison.differences.map(\.message) == ["only the second model has this"])
    #expect(comparison.differences[0].second.map(\.name) == ["extra"])
    comparison = compare(longer, plain)
    #expect(comparison.differences.map(\.message) == ["only the first model has this"])
    #expect(comparison.differences[0].first.map(\.name) == ["extra"])
  }

  @Test func anotherOperatorIsOneDifferenceAndWhatIsBeforeItIsCompared() throws {
    let comparison = compare(
      try network(extra: Tanh()), try network(weight: weight(-1), extra: Sigmoid()))
    #expect(comparison.differences.map(\.message) == ["the operators are Tanh and Sigmoid"])
    #expect(comparison.weightDifferences.map(\.first.name) == ["w"])
  }

  @Test func differencesComeInExecutionOrder() throws {
    let comparison = compare(
      try network(extra: LeakyRelu(alpha: 0.1)), try network(strides: [2, 2], extra: LeakyRelu(alpha: 0.2)))
    #expect(comparison.differences.map { $0.first[0].name } == ["conv", "extra"])
  }

  @Test(arguments: [(0.3, Double(Float(0.3)), true), (0.3, 0.3001, false)])
  func numbersInAttributesMayDifferByRounding(x: Double, y: Double, isSame: Bool) throws {
    #expect(
      compare(try network(extra: LeakyRelu(alpha: x)), try network(extra: LeakyRelu(alpha: y))).isSame
        == isSame)
    func fused(_ alpha: Double) throws -> Graph {
      try graph { graph, x in
        let w = graph.addConstant("w", weight())
        return try graph.add(
          Conv(layout: .channelsLast, activation: .leakyRelu(alpha: alpha)), name: "conv", inputs: [x, w])
      }
    }
    #expect(compare(try fused(x), try fused(y)).isSame == isSame)
  }

  @Test func constantsOfOtherTypesAreNamedByOperand() throws {
    let comparison = compare(
      try network(),
      try graph { graph, x in
        let w = graph.addConstant("w", weight(count: 1))
        let y = try graph.add(Conv(layout: .channelsLast), name: "conv", inputs: [x, w])[0]
        let z = try graph.add(Relu(), name: "relu", inputs: [y])[0]
        return try graph.add(Add(), name: "add", inputs: [y, z])
      })
    #expect(
      comparison.differences.first?.message
        == "the operand 'weight' is float32[2x2x1x1] and float32[1x2x1x1]")
  }

  @Test func sharedAndRepeatedNodesAreDifferent() throws {
    func pair(shared: Bool) throws -> Graph {
      try graph { graph, x in
        let a = try graph.add(Relu(), name: "a", inputs: [x])[0]
        let b = shared ? a : try graph.add(Relu(), name: "b", inputs: [x])[0]
        return try graph.add(Sub(), name: "sub", inputs: [a, b])
      }
    }
    let (one, two) = (try pair(shared: true), try pair(shared: false))
    #expect(compare(one, one).isSame && compare(two, two).isSame)
    #expect(compare(one, two).differences.count == 1)
    #expect(compare(two, one).differences.count == 1)
  }

  @Test func inputsAndOutputsCountByPosition() throws {
    func ports(_ inputs: [String], read: Int, outputs: Int = 1) throws -> Graph {
      var graph = Graph()
      let ids = inputs.map { graph.addInput($0, Self.type) }
      let y = try graph.add(Relu(), name: "relu", inputs: [ids[read]])[0]
      for index in 0..<outputs { graph.addOutput("y\(index)", y) }
      return graph
    }
    let base = try ports(["a", "b"], read: 0)
    #expect(compare(base, try ports(["b", "a"], read: 0)).isSame)
    #expect(
      compare(base, try ports(["a", "b"], read: 1)).differences.map(\.message) == [
        "different inputs are read"
      ])
    #expect(
      compare(base, try ports(["a"], read: 0)).differences.map(\.message) == [
        "the models have 2 and 1 inputs"
      ])
    #expect(
      compare(base, try ports(["a", "b"], read: 0, outputs: 2)).differences.map(\.message) == [
        "the models have 1 and 2 outputs"
      ])
  }

  @Test func anInputOfAnotherTypeIsReported() {
    func passing(_ shape: [Int]) -> Graph {
      var graph = Graph()
      graph.addOutput("y", graph.addInput("x", TensorType(.float32, shape)))
      return graph
    }
    #expect(
      compare(passing([1, 4]), passing([1, 5])).differences.map(\.message) == [
        "the inputs have different types"
      ])
  }

  @Test(arguments: [(0.5e-6, true), (2e-6, false)])
  func weightsMayDifferByTheTolerance(error: Float, isSame: Bool) throws {
    // The largest element is 0.375.
    let comparison = compare(try network(), try network(weight: weight(0.25 + error * 0.375)))
    #expect(comparison.isSameStructure)
    #expect(comparison.isSame == isSame)
    #expect(comparison.weightDifferences.count == (isSame ? 0 : 1))
    if let difference = comparison.weightDifferences.first {
      #expect((difference.relativeError - Double(error)).magnitude < 0.1 * Double(error))
    }
  }

  @Test func onlyTheSameInfinitiesAndNaNsAreEqual() throws {
    for value in [Float.infinity, -.infinity, .nan] {
      #expect(compare(try network(weight: weight(value)), try network(weight: weight(value))).isSame)
      let comparison = compare(try network(weight: weight(value)), try network())
      #expect(comparison.weightDifferences.map(\.relativeError) == [.infinity], "\(value)")
    }
  }

  @Test func longChainsAreComparedWithoutRecursion() throws {
    func chain(_ count: Int, other: Int? = nil) throws -> Graph {
      try graph { graph, x in
        var y = x
        for index in 0..<count {
          let op: any Operator = index == other ? Sigmoid() : Relu()
          y = try graph.add(op, name: "n\(index)", inputs: [y])[0]
        }
        return [y]
      }
    }
    let chains = (try chain(50_000), try chain(50_000, other: 20_000))
    #expect(compare(chains.0, chains.0).isSame)
    let comparison = compare(chains.0, chains.1)
    #expect(comparison.differences.map(\.message) == ["the operators are Relu and Sigmoid"])
    #expect(comparison.commonNodeCount == 49_999)
  }
}
