import SepalGraph
import SepalPasses
import SepalRuntime

/// What `sepal separable` says of a model: what `convert` would do with the same options. The keys of its JSON form are
/// part of the command line's contract.
public struct SeparableReport: Sendable, Codable {
  public struct Options: Sendable {
    /// As in `Separation.approximate`; nil for what is exact up to rounding.
    public var tolerance: Double?
    /// What decides what is cheaper.
    public var cost: any CostModel = MACCost()
    /// Predicts the times in the report, whatever decides; nil: there are none.
    public var times: PredictedTime?
    /// Samples of the inputs that approximations are fitted to.
    public var calibration: Calibration?
    /// What the elements of the model's inputs are within.
    public var inputRange: ClosedRange<Double>?
    /// Also measure what is rewritten, before and after.
    public var measures = false

    public init() {}
  }

  public struct Layer: Sendable, Codable {
    public var name: String
    /// Outputs × inputs of a group × kernel; empty where the weights are not known.
    public var kernel: String
    public var macs: Int
    /// What it can be replaced by, empty where there is nothing; for a layer that is kept, the nearest that is cheaper.
    public var structure: String
    /// Terms, or channels in between; the most of any channel where they differ.
    public var rank: Int?
    /// Of each input channel, where they differ.
    public var ranks: [Int]?
    /// ‖ΔW‖ / ‖W‖.
    public var relError: Double?
    /// The relative error of the output on the calibration samples.
    public var expectedError: Double?
    public var macsAfter: Int?
    /// As predicted for one core of this machine.
    public var ms: Double?
    public var msAfter: Double?
    /// As measured on one thread, in turns.
    public var measuredMs: Double?
    public var measuredMsAfter: Double?
    /// `rewrite` or `keep`.
    public var verdict: String
    public var reason: String
    /// The largest error of an output before the activation, for inputs of magnitude 1, and for inputs of norm 1 under
    /// the kernel.
    public var absoluteBound: Double?
    public var normBound: Double?
    /// What the layer's input is known to be within, and for each output channel the largest error there.
    public var inputRange: [Double]?
    public var outputBounds: [Double]?
  }

  /// The whole network, as optimised without and with what the layers say.
  public struct Network: Sendable, Codable {
    public var macs: Int
    public var macsAfter: Int
    public var ms: Double?
    public var msAfter: Double?
    public var measuredMs: Double?
    public var measuredMsAfter: Double?
    /// Convolutions that are separable already, and products over channels (1×1 and dense) that are not of low rank: they
    /// are not among the layers.
    public var depthwise: Int
    public var products: Int
  }

  /// The singular values of a layer under one structure, as shares of the weights' energy, descending.
  public struct Spectrum: Sendable, Codable {
    public var layer: String
    public var kernel: String
    public var structure: String
    public var shares: [Double]
  }

  /// In the order of the layers in the model; of one layer what is done to it in turn.
  public var layers: [Layer]
  public var network: Network
  /// What decides: `ms` or `MACs`.
  public var costUnit: String
  public var tolerance: Double?
  public var spectra: [Spectrum]

  /// Optimises the model as `convert` does, and keeps account.
  public init(_ file: ModelFile, _ options: Options = Options()) throws(SepalError) {
    var plain = file.graph
    var account = SeparationAccount(options, file.graph)
    do throws(OptimizationError) {
      try Optimizer(Self.optimization(options, .off)).run(&plain)
      try account.optimize()
    } catch {
      throw SepalError(.internalError, "\(file.path): \(error)")
    }
    if let calibration = options.calibration, let tolerance = options.tolerance {
      try account.fit(calibration, tolerance)
    }
    layers = account.rows
    network = account.network(before: plain)
    (tolerance, costUnit, spectra) = (options.tolerance, options.cost.unit, account.spectra)
  }

  static func optimization(_ options: Options, _ separation: Separation) -> Optimizer.Options {
    var optimization = Optimizer.Options()
    (optimization.separation, optimization.cost) = (separation, options.cost)
    return optimization
  }
}
