import SepalGraph
import SepalPasses

/// What `sepal separable` says of a model. The keys of its JSON form are part of the command line's contract.
public struct SeparableReport: Sendable, Codable {
  public struct Layer: Sendable, Codable {
    public var name: String
    /// Outputs × inputs of a group × kernel.
    public var kernel: String
    public var macs: Int
    /// What it can be replaced by, empty where there is nothing; for a layer that is kept, the nearest that is cheaper.
    public var structure: String
    /// Terms, or channels in between.
    public var rank: Int?
    /// ‖ΔW‖ / ‖W‖.
    public var relError: Double?
    public var macsAfter: Int?
    public var cost: Double
    public var costAfter: Double?
    /// `rewrite` or `keep`.
    public var verdict: String
    public var reason: String
    /// The largest error of an output for inputs of magnitude 1, and for inputs of norm 1 under the kernel.
    public var absoluteBound: Double?
    public var normBound: Double?
  }

  /// The singular values of a layer under one structure, as shares of the weights' energy, descending.
  public struct Spectrum: Sendable, Codable {
    public var layer: String
    public var kernel: String
    public var structure: String
    public var shares: [Double]
  }

  public var layers: [Layer]
  /// What costs are counted in: `ms` or `MACs`.
  public var costUnit: String
  public var tolerance: Double?
  public var spectra: [Spectrum]

  /// Optimises the model and looks at what is left.
  ///
  /// - Parameter tolerance: as in `Separation.approximate`; nil for what is exact up to rounding.
  public init(_ file: ModelFile, tolerance: Double?) throws(SepalError) {
    var graph = file.graph
    var options = Optimizer.Options()
    options.separation = .off
    do {
      try Optimizer(options).run(&graph)
    } catch {
      throw SepalError(.internalError, "\(error)")
    }
    let analysis = SeparableAnalysis(
      graph, tolerance.map { .approximate(tolerance: $0) } ?? .exact, cost: options.cost)
    self.tolerance = tolerance
    costUnit = analysis.unit
    layers = analysis.layers.map { layer in
      Layer(
        name: layer.name, kernel: layer.kernel, macs: layer.macs,
        structure: layer.choice?.structure.rawValue ?? "", rank: layer.choice?.rank,
        relError: layer.bounds?.relativeError ?? layer.choice?.relativeError, macsAfter: layer.choice?.macs,
        cost: layer.cost, costAfter: layer.choice?.cost, verdict: layer.verdict.rawValue,
        reason: layer.reason, absoluteBound: layer.bounds?.absoluteSums.max(),
        normBound: layer.bounds?.norms.max())
    }
    spectra = analysis.layers.flatMap { layer in
      layer.spectra.map {
        Spectrum(
          layer: layer.name, kernel: layer.kernel, structure: $0.structure.rawValue, shares: $0.shares)
      }
    }
  }
}
