/// One graph output, over all samples.
public struct OutputComparison: Sendable, Hashable {
  public var name: String
  public var comparison: Comparison
}

/// One value inside the converted graph and the source tensor that it stands for, over all samples.
public struct LayerComparison: Sendable, Hashable {
  public var name: String
  public var origin: String
  public var comparison: Comparison
  /// Layers that it is computed from, by their places in the list.
  var sources: [Int] = []
  /// The error relative to the tensor over the largest of those that it is computed from; at least one rounding is taken
  /// for the error of these.
  public internal(set) var growth = 1.0
}

/// The verdict and what it rests on.
public struct ValidationReport: Sendable, Hashable {
  /// Nil when the inputs were given.
  public let seed: UInt64?
  public let criterion: Criterion
  public let weightPrecision: WeightPrecision
  public let approximations: Approximations
  /// What was assumed to bring the two models together.
  public let notes: [String]
  /// What kind each sample is of, or what it is called.
  public private(set) var samples: [String] = []
  /// The first sample on which the two are not equivalent.
  public private(set) var firstFailure: Int?
  public private(set) var outputs: [OutputComparison] = []
  /// Every step of the runtime's plan, by itself, in execution order.
  public private(set) var steps: [StepComparison] = []
  /// In execution order.
  public private(set) var layers: [LayerComparison] = []
  /// Source tensors that no value of the converted graph stands for.
  public internal(set) var fusedAway: [String] = []

  init(
    seed: UInt64?, criterion: Criterion, weightPrecision: WeightPrecision, approximations: Approximations,
    notes: [String]
  ) {
    self.approximations = approximations
    self.seed = seed
    self.criterion = criterion
    self.weightPrecision = weightPrecision
    self.notes = notes
  }

  /// Whether layers count. An approximation promises an error of a whole layer, which single elements can exceed by far:
  /// only outputs are held to what has become of it.
  public var judgesLayers: Bool { approximations.promised.isEmpty }

  public var isEquivalent: Bool {
    outputs.allSatisfy { $0.comparison.isWithinBound } && steps.allSatisfy(\.isWithinBound)
      && (!judgesLayers || layers.allSatisfy { $0.comparison.isWithinBound })
  }

  /// The first layer in execution order beyond its bound.
  public var firstDivergence: LayerComparison? {
    judgesLayers || !isEquivalent ? layers.first { !$0.comparison.isWithinBound } : nil
  }
  /// The layer whose error is the largest multiple of its operands'.
  public var largestGrowth: LayerComparison? {
    layers.max { $0.growth < $1.growth }
  }
  /// The first step that computes something else than its operators mean.
  public var firstWrongStep: StepComparison? { steps.first { !$0.isWithinBound } }

  mutating func add(_ sample: SampleResult, named name: String) {
    if samples.isEmpty {
      (outputs, steps) = (sample.outputs, sample.steps)
    } else {
      for (index, output) in sample.outputs.enumerated() {
        outputs[index].comparison.merge(output.comparison)
      }
      for (index, step) in sample.steps.enumerated() { steps[index].merge(step) }
    }
    samples.append(name)
    if layers.isEmpty {
      layers = sample.layers
    } else {
      for (index, layer) in sample.layers.enumerated() { layers[index].comparison.merge(layer.comparison) }
    }
    if firstFailure == nil, !isEquivalent { firstFailure = samples.count - 1 }
    for index in layers.indices {
      let before = layers[index].sources.map { layers[$0].comparison.rmsRelative }.reduce(0x1p-24, max)
      layers[index].growth = layers[index].comparison.rmsRelative / before
    }
  }
}

/// What one sample showed.
struct SampleResult: Sendable {
  var outputs: [OutputComparison] = []
  var steps: [StepComparison] = []
  var layers: [LayerComparison] = []

  /// Puts the parts together that were found apart.
  mutating func add(_ other: SampleResult) {
    outputs += other.outputs
    steps += other.steps
    layers += other.layers
  }
}
