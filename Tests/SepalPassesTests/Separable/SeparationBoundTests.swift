import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("bounds of approximate rewrites hold, and are not loose")
struct SeparationBoundTests {
  /// One output position: x is one patch of 6 channels and 3×3 taps.
  private static let (outputs, inputs, taps) = (10, 6, 9)

  /// One window per input channel, under noise.
  private func layer(noise: Double) throws -> Graph {
    var planted = PlantedConvolution(seed: 21)
    (planted.outputs, planted.inputs, planted.size) = (Self.outputs, Self.inputs, 3)
    (planted.padBegins, planted.padEnds, planted.activation) = ([0, 0], [0, 0], .identity)
    planted.plant(.depthwisePointwise, rank: 1)
    let errors = planted.numbers(planted.weight.count)
    planted.weight = zip(planted.weight, errors).map { $0 + noise * $1 }
    return try planted.graph()
  }

  private func run(_ graph: Graph, _ x: [Double]) throws -> [Double] {
    let input = Tensor(.float64, graph.type(of: graph.inputs[0]).shape, doubles: x)
    return try #require(try graph.evaluate(["x": input], precision: .double)["y"]).doubles()
  }

  /// Errors of both signs, of inputs that may not be symmetric; zeros are always among them.
  @Test(arguments: [0...6, -1...3, -2...2, 2...5] as [ClosedRange<Double>])
  func statedRangesBoundTheOutput(range: ClosedRange<Double>) throws {
    let graph = try layer(noise: 0.2)
    let analysis = SeparableAnalysis(graph, .approximate(tolerance: 0.9), inputRange: range)
    let report = try #require(analysis.layers.first)
    #expect(report.inputRange == range)
    let limits = try #require(report.bounds).outputErrors(within: report.inputRange)
    let approximate = try graph.separated(.approximate(tolerance: 0.9))
    func difference(_ x: [Double]) throws -> [Double] {
      zip(try run(graph, x), try run(approximate, x)).map(-)
    }
    let count = Self.inputs * Self.taps
    let columns = try (0..<count).map { place in
      try difference((0..<count).map { $0 == place ? 1 : 0 })
    }
    var random = SeededGenerator(6)
    for _ in 0..<1_000 {
      let errors = try difference((0..<count).map { _ in Double.random(in: range, using: &random) })
      for (error, limit) in zip(errors, limits) { #expect(error.magnitude <= limit) }
    }
    for output in 0..<Self.outputs {
      let seen = try [1.0, -1.0].map { sign in
        try difference(columns.map { $0[output] * sign > 0 ? range.upperBound : range.lowerBound })[output]
      }
      let largest = seen.map(\.magnitude).max() ?? 0
      #expect(largest <= limits[output] * (1 + 1e-9))
      #expect(limits[output] <= (range.lowerBound > 0 ? 50 : 1 + 1e-9) * largest)
    }
  }

  @Test func theRangeOfLaterLayersIsKnownBehindClips() throws {
    var graph = Graph()
    var value = graph.addInput("x", TensorType(.float32, [1, 6, 6, 4]))
    var planted = PlantedConvolution(seed: 2)
    for (index, activation) in [Activation.clip(min: 0, max: 6), .relu, .identity].enumerated() {
      (planted.inputs, planted.outputs, planted.activation) = (4, 4, activation)
      planted.fillDense()
      let w = graph.addConstant("w\(index)", planted.tensor)
      value = try graph.add(planted.op, name: "c\(index)", inputs: [value, w])[0]
    }
    graph.addOutput("y", value)
    let layers = SeparableAnalysis(graph, .exact, inputRange: -1...1).layers
    #expect(layers.map(\.inputRange) == [-1...1, 0...6, 0...(.infinity)])
    let unknown = SeparableAnalysis(graph, .exact).layers.map(\.inputRange)
    #expect(unknown[0] == -.infinity...(.infinity))
  }

  @Test(arguments: [1e-4, 1e-2, 0.2])
  func theyAreNeverExceeded(noise: Double) throws {
    let graph = try layer(noise: noise)
    let report = try #require(SeparableAnalysis(graph, .approximate(tolerance: 0.9)).layers.first)
    let bounds = try #require(report.bounds)
    let approximate = try graph.separated(.approximate(tolerance: 0.9))
    #expect(approximate.nodeCount > 1)
    let recorded = try #require(approximate.provenance.rewrites.first).exactness
    #expect(recorded == .approximate(bounds.relativeError))

    func difference(_ x: [Double]) throws -> [Double] {
      zip(try run(graph, x), try run(approximate, x)).map(-)
    }
    let count = Self.inputs * Self.taps
    // ΔW column by column: from outside, by running both.
    let columns = try (0..<count).map { place in
      try difference((0..<count).map { $0 == place ? 1 : 0 })
    }
    for output in 0..<Self.outputs {
      let row = columns.map { $0[output] }
      let sum = row.reduce(0) { $0 + $1.magnitude }
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect((bounds.absoluteSums[output] - sum).magnitude <= 1e-9 * sum)
      #expect((bounds.norms[output] - norm).magnitude <= 1e-9 * norm)
    }

    var random = SeededGenerator(5)
    let range = 4.0
    var inputs = (0..<1_000).map { _ in
      (0..<count).map { _ in Double.random(in: -range...range, using: &random) }
    }
    // The right singular vectors of ΔW are the inputs that it shows most in; their signs, those of a limited range.
    let matrix = (0..<Self.outputs).flatMap { output in columns.map { $0[output] } }
    let singular = SingularValues(matrix, rows: Self.outputs, columns: count)
    let adversarial = singular.vectors.flatMap { vector in
      [
        vector.map { $0 < 0 ? -range : range },
        vector.map { range * $0 / (vector.map(\.magnitude).max() ?? 1) },
      ]
    }
    inputs += adversarial
    let limit = range * (bounds.absoluteSums.max() ?? 0)
    var (largest, tightest) = (0.0, Double.infinity)
    for (index, x) in inputs.enumerated() {
      let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for (output, error) in try difference(x).enumerated() {
        // Double rounding of the sums themselves.
        let slack = 1e-12 * length
        #expect(error.magnitude <= range * bounds.absoluteSums[output] + slack)
        #expect(error.magnitude <= bounds.norms[output] * length + slack)
        if index >= 1_000 {
          largest = max(largest, error.magnitude)
          tightest = min(tightest, bounds.norms[output] * length / max(error.magnitude, 1e-300))
        }
      }
    }
    #expect(limit <= 50 * largest, "range bound \(limit), seen \(largest)")
    #expect(tightest <= 50, "norm bound is \(tightest) times what was seen")
  }
}
