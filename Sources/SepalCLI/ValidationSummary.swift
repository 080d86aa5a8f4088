import Sepal

/// The JSON form of a validation report; its keys are part of the command line's contract.
struct ValidationSummary: Encodable {
  struct Output: Encodable {
    var name: String
    var maxAbs, maxRel, rmsRel, cosine: Double
    var top1Agree: Bool
    var top1Margin: Double
    /// Of the element closest to its bound.
    var observed, bound, sigma: Double
    /// The largest error in standard deviations, and the median of what is accepted over what happens.
    var deviations: Double
    var medianRatio: Double?
    /// Elements without a bound.
    var unbounded: Int
    var ok: Bool

    enum CodingKeys: String, CodingKey {
      case name, cosine, bound, ok, observed, sigma, deviations, unbounded
      case maxAbs = "max_abs"
      case maxRel = "max_rel"
      case rmsRel = "rms_rel"
      case top1Agree = "top1_agree"
      case top1Margin = "top1_margin"
      case medianRatio = "median_ratio"
    }

    init(_ output: OutputComparison) {
      let figures = output.comparison
      name = output.name
      (maxAbs, maxRel, rmsRel) = (figures.maxAbsolute, figures.maxRelative, figures.rmsRelative)
      cosine = figures.cosine
      (top1Agree, top1Margin) = (figures.top1Agrees, figures.top1Margin)
      (observed, bound, sigma) = (figures.observed, figures.bound, figures.sigma)
      deviations = figures.deviations
      (medianRatio, unbounded) = (figures.slack, figures.unbounded)
      ok = figures.isWithinBound
    }
  }

  struct Step: Encodable {
    var name, op, kernel: String
    var nodes: [String]
    var observed, bound, ratio: Double
    var ok: Bool

    init(_ step: StepComparison) {
      (name, op, kernel, nodes) = (step.name, step.op, step.kernel, step.nodes)
      (observed, bound, ratio, ok) = (step.observed, step.bound, step.ratio, step.isWithinBound)
    }
  }

  struct Layer: Encodable {
    var name, origin: String
    var maxAbs, rmsRel, bound, sigma, deviations, growth: Double
    var ok: Bool

    init(_ layer: LayerComparison) {
      let figures = layer.comparison
      (name, origin, growth) = (layer.name, layer.origin, layer.growth)
      (maxAbs, rmsRel, bound) = (figures.maxAbsolute, figures.rmsRelative, figures.bound)
      (sigma, deviations, ok) = (figures.sigma, figures.deviations, figures.isWithinBound)
    }
  }

  var equivalent: Bool
  var samples: Int
  var kinds: [String]
  var seed: UInt64?
  /// The standard deviations that are accepted; nil under a fixed tolerance.
  var lambda: Double?
  var precision: String
  var notes: [String]
  var outputs: [Output]
  var steps: [Step]
  var layers: [Layer]
  var fusedAway: [String]
  /// By source tensor, relative to it.
  var promisedErrors: [String: Double]
  var firstDivergence, firstWrongStep, largestGrowth: String?
  var bisection: BisectionReport?

  init(_ report: ValidationReport, _ bisection: BisectionReport?) {
    self.bisection = bisection
    equivalent = report.isEquivalent
    samples = report.samples.count
    kinds = report.samples
    seed = report.seed
    if case .deviations(let accepted) = report.criterion { lambda = accepted }
    precision = report.weightPrecision.rawValue
    notes = report.notes
    outputs = report.outputs.map { Output($0) }
    steps = report.steps.map { Step($0) }
    layers = report.layers.map { Layer($0) }
    fusedAway = report.fusedAway
    promisedErrors = report.approximations.promised
    firstDivergence = report.firstDivergence?.name
    firstWrongStep = report.firstWrongStep?.name
    largestGrowth = report.largestGrowth?.name
  }
}
