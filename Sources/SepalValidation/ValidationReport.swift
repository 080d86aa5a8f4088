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
}

/// The verdict and what it rests on.
public struct ValidationReport: Sendable, Hashable {
  /// Nil when the inputs were given.
  public let seed: UInt64?
  public private(set) var samples = 0
  public private(set) var outputs: [OutputComparison] = []
  /// In execution order; empty unless layers were asked for.
  public private(set) var layers: [LayerComparison] = []

  init(seed: UInt64?) { self.seed = seed }

  public var isEquivalent: Bool { outputs.allSatisfy { $0.comparison.isWithinBound } }

  /// The first layer in execution order beyond its bound.
  public var firstDivergence: LayerComparison? { layers.first { !$0.comparison.isWithinBound } }

  mutating func add(outputs newOutputs: [OutputComparison], layers newLayers: [LayerComparison]) {
    if samples == 0 {
      (outputs, layers) = (newOutputs, newLayers)
    } else {
      for (index, output) in newOutputs.enumerated() { outputs[index].comparison.merge(output.comparison) }
      for (index, layer) in newLayers.enumerated() { layers[index].comparison.merge(layer.comparison) }
    }
    samples += 1
  }
}
