import Foundation
import Sepal
import Testing

/// Small mistakes in converted networks are found, in the layer in which they are, or do not matter.
struct SensitivityTests {
  private static let networks = [
    "keras/mobilenet_v2.k3.keras", "keras/mobilenet_v3_small.k3.keras", "keras/mobilenet_v3_large.k3.keras",
    "digits/digits.onnx",
  ]
  private static let count = 200

  /// Networks without dead ends: where random weights let nothing through, mistakes change nothing.
  @Test func smallMistakesAreFoundWhereTheyAre() throws {
    let mutators = try Self.networks.map {
      try Mutator(try ModelFile(path: Fixtures.path($0)).graph)
    }
    var random = SplitMix64(seed: 2026)
    var mutations: [(network: Int, mutation: Mutation)] = []
    while mutations.count < Self.count {
      let kind = Mutation.Kind.allCases[mutations.count % Mutation.Kind.allCases.count]
      let network = Int(random.next() % UInt64(mutators.count))
      if let mutation = try mutators[network].mutate(kind, &random) { mutations.append((network, mutation)) }
    }
    let outcomes = try mutations.map { network, mutation in
      try Outcome(mutation, of: mutators[network], in: Self.networks[network])
    }
    let missed = outcomes.filter { !$0.isDetected }
    for outcome in missed { #expect(outcome.isHarmless, "\(outcome.text)") }
    #expect(missed.count <= Self.count / 100, "\(missed.map(\.text).joined(separator: "\n"))")
    for outcome in outcomes where outcome.isDetected { #expect(outcome.isNamed, "\(outcome.text)") }
  }
}

/// What validation says of a mutation.
private struct Outcome {
  let isDetected, isNamed: Bool
  /// Whether no output changes by more than rounding errors may be.
  let isHarmless: Bool
  let text: String

  init(_ mutation: Mutation, of mutator: Mutator, in network: String) throws {
    var options = Validator.Options()
    options.workers = 2
    let report = try Validator(original: mutator.source, converted: mutation.converted, options: options)
      .run()
    isDetected = !report.isEquivalent
    isNamed = report.firstDivergence.map { mutation.wrong.contains($0.name) } ?? false
    text =
      "\(network): \(mutation), \(report.outputs.map { $0.comparison.deviations }), found in "
      + "\(report.firstDivergence?.name ?? "no layer"), expected \(mutation.wrong)"
    isHarmless = try isDetected || !mutation.changesOutputs(of: mutator)
  }
}

extension Mutation {
  /// Whether an output changes, in double precision, by more than five standard deviations of the rounding errors that are
  /// predicted for it.
  fileprivate func changesOutputs(of mutator: Mutator) throws -> Bool {
    for index in InputKind.allCases.indices {
      let sample = InputGenerator.sample(index, seed: 1, for: mutator.source)
      let right = try mutator.converted.evaluate(sample.inputs, precision: .double)
      let wrong = try converted.evaluate(sample.inputs, precision: .double)
      for expected in try Predictor(mutator.source).predict(sample.inputs) {
        let pairs = zip(right[expected.name]?.doubles() ?? [], wrong[expected.name]?.doubles() ?? [])
        for ((a, b), sigma) in zip(pairs, expected.sigma) where (a - b).magnitude > 5 * sigma { return true }
      }
    }
    return false
  }
}
