import SepalGraph
import SepalTensor

extension GoldenVector {
  /// More elements of an output are sampled, so that a file grows by little.
  static let maximumSamples = 4096

  /// What `original` computes on the inputs that `seed` gives, and so many predicted standard deviations as bounds.
  public init(
    recording original: Graph, seed: UInt64 = 1, deviations: Double = 10
  ) throws(ComparisonError) {
    self.init(generator: GoldenInputs.generator, seed: seed, outputs: [])
    for output in try Predictor(original).predict(GoldenInputs.make(for: original, seed: seed)) {
      let elements = output.reference.doubles()
      let samples = min(elements.count, Self.maximumSamples)
      let positions = Self.positions(count: elements.count, samples: samples, seed: seed)
      outputs.append(
        Output(
          name: output.name, count: elements.count, values: positions.map { elements[$0] },
          bounds: positions.map { Float(roundingUp: deviations * output.sigma[$0]) }))
    }
  }

  /// Accepts, on top of what is accepted already, what a lossy file changes in real numbers: it is judged by what it
  /// promised.
  ///
  /// - Parameter stored: the converted graph with its constants as the file holds them.
  public mutating func accept(lossOf stored: Graph) throws(ComparisonError) {
    let computed = try Self.evaluate(stored, seed)
    for (index, output) in outputs.enumerated() {
      guard let elements = computed[output.name]?.doubles(), elements.count == output.count else {
        throw ComparisonError("output '\(output.name)' is not what its source has")
      }
      let positions = Self.positions(count: output.count, samples: output.values.count, seed: seed)
      outputs[index].bounds = zip(positions, output.values).enumerated().map { sample, golden in
        let loss = (elements[golden.0] - golden.1).magnitude
        let bound = output.bounds[output.bounds.count == 1 ? 0 : sample]
        return loss.isNaN ? bound : Float(roundingUp: Double(bound) + loss)
      }
    }
  }

  private static func evaluate(_ graph: Graph, _ seed: UInt64) throws(ComparisonError) -> [String: Tensor] {
    do {
      return try graph.evaluate(GoldenInputs.make(for: graph, seed: seed), precision: .double)
    } catch {
      throw ComparisonError("the reference cannot be evaluated: \(error)")
    }
  }
}

extension Float {
  /// The smallest float that is not below `value`.
  fileprivate init(roundingUp value: Double) {
    let nearest = Float(value)
    self = Double(nearest) < value ? nearest.nextUp : nearest
  }
}
