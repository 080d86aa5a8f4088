import SepalGraph
import SepalTensor

/// Replaces convolutions by sums of few separable terms, as far as a tolerance and a cost model go.
///
/// Before: y = conv(x, W) + b     After: y = Σₜ pointwiseₜ(depthwiseₜ(x)) + b′
/// Requires: a channels-last convolution with one group, several taps, and constant parameters.
///
/// Which layers, and how many terms each or each of their channels: a layer's error is the share of its output's power
/// that is lost, layers add up, and their sum may reach the square of the tolerance. It is spent where it saves most cost
/// for the error. Layers are then treated front to back: each is fitted on the inputs that it has once the layers before
/// it are approximated, to what the original makes of its own.
public struct SeparableApproximation: Sendable {
  /// What was found out about one convolution, and done.
  public struct Layer: Sendable, Codable, Hashable {
    public var name: String
    /// Outputs, inputs, spatial axes.
    public var weight: [Int]
    /// Terms that replace it; 0: it is kept.
    public var terms: Int
    /// Of each input channel, where they differ.
    public var ranks: [Int]?
    /// The relative error of the output as predicted when the terms were chosen, and as fitted on the samples.
    public var predictedError: Double
    public var sampleError: Double
    /// ‖ΔW‖ / ‖W‖.
    public var weightError: Double
    /// Of the layer by itself, in the unit of the cost model.
    public var costBefore: Double
    public var costAfter: Double
    public var reason: String

    /// One line.
    public var summary: String {
      let errors = [predictedError, sampleError].map { "\((($0 * 1000).rounded() / 10))%" }
      return terms == 0
        ? "'\(name)' is kept: \(reason)"
        : "'\(name)' in \(ranks == nil ? "" : "up to ")\(terms) separable term\(terms == 1 ? "" : "s"), error \(errors.joined(separator: " expected, ")): \(reason)"
    }
  }

  /// The relative error of the output that all layers together may cause.
  public var tolerance: Double
  /// Of the places that are drawn from the samples.
  public var seed: UInt64 = 0

  public static let passName = "approximate-conv-by-separable-terms"

  public init(tolerance: Double) { self.tolerance = tolerance }

  /// - Parameters:
  ///   - limit: how many layers are replaced at most, front to back.
  /// - Returns: every convolution that could be considered, in topological order.
  public func run(
    _ graph: inout Graph, samples: any ActivationSource, cost: any CostModel,
    atMost limit: Int? = nil, observing observe: Optimizer.Observer? = nil
  ) throws(CalibrationError) -> [Layer] {
    var left = limit ?? .max
    guard left > 0 else { return [] }

    let planner = SeparationPlanner(
      separation: .approximate(tolerance: tolerance), cost: cost,
      history: SeparationHistory(graph.provenance))
    var fits = try Self.fits(in: graph, samples, without: planner.history, seed)
    var candidates: [SeparationCandidate] = []
    for (index, fit) in fits.enumerated().reversed() {
      let candidate = fit.structure(in: graph).flatMap {
        SeparationCandidate($0.layer, [$0], isApproximate: true, cost)
      }
      if let candidate { candidates.append(candidate) } else { fits.remove(at: index) }
    }
    candidates.reverse()
    planner.decide(&candidates)
    var layers: [Layer] = []
    for (fit, candidate) in zip(fits, candidates) where left > 0 {
      let layer = try replace(fit, candidate.report, in: &graph, samples, observe)
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

  /// A convolution that could become a sum of separable terms.
  private struct Fit {
    let node: NodeID
    let patches: ConvolutionPatches
    var samples: LayerSamples

    func structure(in graph: Graph) -> LayerStructure? {
      guard case .success(let layer)? = SeparableLayer.layer(graph.node(node), in: graph) else { return nil }
      return LayerStructure(layer, InputWhitening(samples.moments.means, taps: patches.taps))
    }
  }

  /// Every convolution that could, with what the original makes of its inputs.
  private static func fits(
    in graph: Graph, _ source: any ActivationSource, without history: SeparationHistory, _ seed: UInt64
  ) throws(CalibrationError) -> [Fit] {
    var fits: [Fit] = []
    var readers: [ValueID: [Int]] = [:]
    for node in graph.nodes where !history.made(node) {
      guard let patches = ConvolutionPatches(node, in: graph), let input = node.input(0) else { continue }
      readers[input, default: []].append(fits.count)
      let samples = LayerSamples(patches, samples: source.count, seed: seed &+ UInt64(fits.count) << 32)
      fits.append(Fit(node: node.id, patches: patches, samples: samples))
    }
    try source.run(graph, observing: Set(readers.keys)) { sample, value, tensor in
      for index in readers[value] ?? [] { fits[index].samples.addOriginal(sample, tensor) }
    }
    return fits
  }

  private func replace(
    _ fit: Fit, _ report: SeparableLayerReport, in graph: inout Graph, _ source: any ActivationSource,
    _ observe: Optimizer.Observer?
  ) throws(CalibrationError) -> Layer {
    let (node, patches) = (graph.node(fit.node), fit.patches)
    var layer = Layer(
      name: report.name, weight: [patches.outputs, patches.inputs] + patches.kernelShape, terms: 0,
      predictedError: 0, sampleError: 0, weightError: 0, costBefore: report.cost, costAfter: report.cost,
      reason: report.reason)
    guard report.verdict == .rewrite, let choice = report.choice else { return layer }
    var own = fit
    if let input = node.input(0) {
      own.samples.forgetInputs()
      var samples = own.samples
      try source.run(graph, observing: [input]) { sample, _, tensor in samples.addInput(sample, tensor) }
      own.samples = samples
    }
    guard let structure = own.structure(in: graph) else { return layer }
    var fitted = FittedProducts(structure.products(choice.ranks), bias: patches.bias)
    layer.sampleError = fitted.refit(to: own.samples).squareRoot()
    layer.terms = choice.ranks.largest
    if case .ofChannels(let ranks) = choice.ranks { layer.ranks = ranks }
    (layer.predictedError, layer.costAfter) = (choice.relativeError, choice.cost)
    layer.weightError = SeparateConvolutions.bounds(structure.layer, fitted.products).relativeError
    let rewrite = fitted.rewrite(
      structure.layer, exactness: .approximate(layer.sampleError))
    guard let rewrite else { return layer }
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

extension FittedProducts {
  /// The layer as these products: nil where it has no such parts.
  fileprivate func rewrite(_ layer: SeparableLayer, exactness: Exactness) -> Rewrite? {
    SeparableWiring(layer: layer, structure: .depthwisePointwise).rewrite(products, exactness: exactness) {
      $0.constant("\(layer.node.name).bias", Tensor([bias.count], floats: bias.map(Float.init)))
    }
  }
}
