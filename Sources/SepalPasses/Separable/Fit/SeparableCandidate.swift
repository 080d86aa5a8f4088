import SepalGraph

/// A convolution that could become a sum of separable terms.
struct SeparableCandidate {
  let node: Node
  let conv: Conv
  let patches: ConvolutionPatches
  /// By the number of terms; of none what the layer costs as it is.
  let costs: [Double]
  var samples: LayerSamples?
  private(set) var spectrum: SpatialSpectrum?
  /// By the number of terms the share of the output's power that is lost.
  private(set) var errors: [Double] = []
  /// What was decided; 0: the layer is kept.
  var terms = 0

  init(node: Node, conv: Conv, patches: ConvolutionPatches, costs: [Double]) {
    (self.node, self.conv, self.patches, self.costs) = (node, conv, patches, costs)
  }

  mutating func measure() {
    let spectrum = SpatialSpectrum(patches, moments: samples?.moments.means)
    errors = costs.indices.map { $0 == 0 ? 0 : spectrum.lost(terms: $0) }
    self.spectrum = spectrum
  }

  /// What the layer can be, for a budget: the numbers of terms that cost less than the layer as it is.
  var ladder: SeparationBudget.Ladder {
    SeparationBudget.Ladder(
      costs.indices.map { .init(squaredError: errors[$0], cost: costs[$0], option: $0 == 0 ? nil : $0) })
  }

  func report(_ unit: String) -> SeparableApproximation.Layer {
    let reason: String
    if terms > 0 {
      reason = "\(Int((costs[terms] / max(costs[0], .leastNormalMagnitude) * 100).rounded()))% of the \(unit)"
    } else if ladder.rungs.count == 1 {
      reason = "no number of terms costs less"
    } else {
      reason = "the cheapest error exceeds what is left of the tolerance"
    }
    return SeparableApproximation.Layer(
      name: node.name, weight: [patches.outputs, patches.inputs] + patches.kernelShape, terms: terms,
      predictedError: terms > 0 ? errors[terms].squareRoot() : 0, weightError: 0, costBefore: costs[0],
      costAfter: costs[terms], reason: reason)
  }
}
