import SepalGraph
import SepalPasses
import SepalTensor
import Testing

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func tensor(_ shape: [Int], in range: ClosedRange<Double> = -4...4) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor(.float32, shape, doubles: (0..<count).map { _ in Double.random(in: range, using: &self) })
  }
}

extension Graph {
  /// Names every value after itself as its source, as an importer does.
  mutating func markOrigins() {
    for value in values where !value.isConstant { addOrigins([Origin(value.name)], to: value.id) }
  }

  /// Runs the named passes to their fixpoint, verifying after every rewrite, and once more to see that nothing is left.
  func optimized(by passes: Set<String>) throws -> Graph {
    var options = Optimizer.Options()
    options.verifyEachRewrite = true
    let optimizer = try Optimizer(only: passes, options)
    var graph = self
    try optimizer.run(&graph)
    var again = graph
    let report = try optimizer.run(&again)
    #expect(report.rewrites == 0, "not idempotent: \(again)")
    return graph
  }

  func seededInputs(_ seed: UInt64) -> [String: Tensor] {
    var generator = SeededGenerator(seed)
    var result: [String: Tensor] = [:]
    for input in inputs {
      let type = type(of: input)
      result[value(input).name] = generator.tensor(type.shape).converted(to: type.element)
    }
    return result
  }

  /// Every value that is computed, in double precision, by name.
  func allValues(_ inputs: [String: Tensor]) throws -> (outputs: [String: Tensor], values: [String: Tensor]) {
    var values: [String: Tensor] = [:]
    let outputs = try evaluate(inputs, precision: .double) { value, tensor in values[value.name] = tensor }
    return (outputs, values)
  }
}

/// Runs the named passes over `graph` and checks against the graph as it was, in double precision on seeded inputs: the outputs,
/// and every value that claims to stand for a source tensor. Returns the optimised graph.
@discardableResult
func expectEquivalent(
  _ graph: Graph, after passes: Set<String>, seed: UInt64 = 1, tolerance: Double = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> Graph {
  var source = graph
  source.markOrigins()
  let optimized = try source.optimized(by: passes)
  try expectEquivalent(source, optimized, seed: seed, tolerance: tolerance, sourceLocation: sourceLocation)
  return optimized
}

func expectEquivalent(
  _ source: Graph, _ optimized: Graph, seed: UInt64 = 1, tolerance: Double = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let inputs = source.seededInputs(seed)
  let expected = try source.allValues(inputs)
  let actual = try optimized.evaluate(inputs, precision: .double) { value, tensor in
    for origin in value.origins {
      guard let reference = expected.values[origin.name] ?? inputs[origin.name] else {
        Issue.record("\(value.name) claims to be \(origin.name)", sourceLocation: sourceLocation)
        continue
      }
      let permutation = origin.permutation.isEmpty ? Array(tensor.shape.indices) : origin.permutation
      let strides = rowMajorStrides(tensor.shape)
      let seen = tensor.region(permutation.map { tensor.shape[$0] }, strides: permutation.map { strides[$0] })
      #expect(
        seen.shape.filter { $0 != 1 } == reference.shape.filter { $0 != 1 },
        "\(value.name) against \(origin) in\n\(optimized)", sourceLocation: sourceLocation)
      #expect(
        distance(seen, reference) <= tolerance, "\(value.name) against \(origin) in\n\(optimized)",
        sourceLocation: sourceLocation)
    }
  }
  #expect(actual.keys.sorted() == expected.outputs.keys.sorted(), sourceLocation: sourceLocation)
  for (name, tensor) in expected.outputs {
    #expect(actual[name]?.shape == tensor.shape, "output \(name)", sourceLocation: sourceLocation)
    if let result = actual[name] {
      #expect(
        distance(result, tensor) <= tolerance, "output \(name) of\n\(source)\nbecame\n\(optimized)",
        sourceLocation: sourceLocation)
    }
  }
}

/// The largest difference relative to the largest expected magnitude; infinite unless NaNs and infinities agree.
private func distance(_ actual: Tensor, _ expected: Tensor) -> Double {
  let (a, b) = (actual.doubles(), expected.doubles())
  guard a.count == b.count else { return .infinity }
  let scale = b.lazy.filter(\.isFinite).reduce(1) { max($0, abs($1)) }
  return zip(a, b).reduce(0) { largest, pair in
    if pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN { return largest }
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  } / scale
}
