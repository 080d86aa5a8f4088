import SepalGraph

/// Replaces convolutions by sums of few separable terms, as far as a tolerance and a cost model go.
///
/// Before: y = conv(x, W) + b     After: y = Σₜ pointwiseₜ(depthwiseₜ(x)) + b′
/// Requires: a channels-last convolution with one group, several taps, and constant parameters.
///
/// Which layers, and how many terms each: a layer's error is the share of its output's power that is lost, layers add
/// up, and their sum may reach the square of the tolerance. It is spent where it saves most cost for the error, layer
/// by layer along the lower hull of (error, cost). Without samples the power is that for inputs of noise: ‖ΔW‖² / ‖W‖².
///
/// With samples, layers are treated front to back: each is fitted on the inputs that it has once the layers before it
/// are approximated, to what the original makes of its own.
public struct SeparableApproximation: Sendable {
  /// What was found out about one convolution, and done.
  public struct Layer: Sendable, Codable, Hashable {
    public var name: String
    /// Outputs, inputs, spatial axes.
    public var weight: [Int]
    /// Terms that replace it; 0: it is kept.
    public var terms: Int
    /// The relative error of the output as predicted when the terms were chosen, and as fitted on the samples.
    public var predictedError: Double
    public var sampleError: Double?
    /// ‖ΔW‖ / ‖W‖.
    public var weightError: Double
    /// Of the layer by itself, in the unit of the cost model.
    public var costBefore: Double
    public var costAfter: Double
    public var reason: String

    /// One line.
    public var summary: String {
      let errors = ([predictedError] + (sampleError.map { [$0] } ?? [])).map {
        "\((($0 * 1000).rounded() / 10))%"
      }
      return terms == 0
        ? "'\(name)' is kept: \(reason)"
        : "'\(name)' in \(terms) separable term\(terms == 1 ? "" : "s"), error \(errors.joined(separator: " expected, ")): \(reason)"
    }
  }

  /// The relative error of the output that all layers together may cause.
  public var tolerance: Double
  /// Of the places that are drawn from the samples.
  public var seed: UInt64 = 0

  public static let passName = "approximate-conv-by-separable-terms"

  public init(tolerance: Double) { self.tolerance = tolerance }

  /// - Parameters:
  ///   - samples: nil: the fit is to the weights alone.
  ///   - limit: how many layers are replaced at most, front to back.
  /// - Returns: every convolution that could be considered, in topological order.
  public func run(
    _ graph: inout Graph, samples: (any ActivationSource)? = nil, cost: any CostModel,
    atMost limit: Int? = nil, observing observe: Optimizer.Observer? = nil
  ) throws(CalibrationError) -> [Layer] {
    var left = limit ?? .max
    guard left > 0 else { return [] }

    var candidates = try Self.candidates(in: graph, cost)
    if let samples { try addOriginals(&candidates, graph, samples) }
    for index in candidates.indices { candidates[index].measure() }
    let chosen = SeparationBudget.spend(tolerance * tolerance, on: candidates.map(\.ladder))
    for (index, terms) in chosen.enumerated() { candidates[index].terms = terms ?? 0 }
    var layers: [Layer] = []
    for candidate in candidates where left > 0 {
      let layer = try replace(candidate, in: &graph, samples, cost, observe)
      layers.append(layer)
      if layer.terms > 0 { left -= 1 }
    }
    do throws(GraphError) {
      graph.removeUnreadConstants()
      try graph.verify()
    } catch {
      throw CalibrationError("\(error)")
    }
    return layers
  }

  private static func candidates(
    in graph: Graph, _ cost: any CostModel
  ) throws(CalibrationError) -> [SeparableCandidate] {
    var candidates: [SeparableCandidate] = []
    for node in graph.nodes {
      guard let conv = node.op(as: Conv.self), let patches = ConvolutionPatches(node, in: graph) else {
        continue
      }
      var costs: [Double] = []
      // More terms than this never do less.
      for terms in 0..<max(1, min(patches.taps, patches.outputs)) {
        do throws(GraphError) {
          costs.append(cost.cost(of: try SeparableTerms.sketch(node, conv, in: graph, terms: terms)))
        } catch {
          throw CalibrationError("\(error)")
        }
        if terms > 0, costs[terms] >= costs[0] { break }
      }
      candidates.append(SeparableCandidate(node: node, conv: conv, patches: patches, costs: costs))
    }
    return candidates
  }

  private func addOriginals(
    _ candidates: inout [SeparableCandidate], _ graph: Graph, _ source: any ActivationSource
  ) throws(CalibrationError) {
    var readers: [ValueID: [Int]] = [:]
    for (index, candidate) in candidates.enumerated() {
      candidates[index].samples = LayerSamples(
        candidate.patches, samples: source.count, seed: seed &+ UInt64(index) << 32)
      if let input = candidate.node.input(0) { readers[input, default: []].append(index) }
    }
    var found = candidates
    try source.run(graph, observing: Set(readers.keys)) { sample, value, tensor in
      for index in readers[value] ?? [] { found[index].samples?.addOriginal(sample, tensor) }
    }
    candidates = found
  }

  private func replace(
    _ candidate: SeparableCandidate, in graph: inout Graph, _ source: (any ActivationSource)?,
    _ cost: any CostModel, _ observe: Optimizer.Observer?
  ) throws(CalibrationError) -> Layer {
    var layer = candidate.report(cost.unit)
    guard candidate.terms > 0, let spectrum = candidate.spectrum else { return layer }
    // Its operands may have been replaced since.
    let node = graph.node(candidate.node.id)
    var terms: SeparableTerms
    var error = layer.predictedError
    if let source, var samples = candidate.samples, let input = node.input(0) {
      samples.forgetInputs()
      try source.run(graph, observing: [input]) { sample, _, tensor in samples.addInput(sample, tensor) }
      terms = SeparableTerms(
        SpatialSpectrum(candidate.patches, moments: samples.moments.means), of: candidate.patches,
        terms: candidate.terms)
      error = terms.refit(to: samples).squareRoot()
      layer.sampleError = error
    } else {
      terms = SeparableTerms(spectrum, of: candidate.patches, terms: candidate.terms)
    }
    layer.weightError = terms.relativeWeightError(candidate.patches)
    guard let weight = node.input(1).map({ graph.type(of: $0) }) else { return layer }
    let rewrite = terms.rewrite(node, candidate.conv, weight: weight, exactness: .approximate(error))
    observe?(rewrite, Self.passName, graph)
    do throws(GraphError) {
      let applied = try graph.apply(rewrite, pass: Self.passName)
      graph.provenance.rewrites.append(applied.record)
    } catch {
      throw CalibrationError("\(error)")
    }
    return layer
  }
}
