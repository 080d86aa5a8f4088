import SepalGraph

/// Whether convolutions are replaced by separable ones.
public enum Separation: Sendable, Hashable {
  case off
  /// Where the weights are separable up to rounding.
  case exact
  /// Also where that changes results: all changes together by a relative error of at most `tolerance`, to first order and
  /// for inputs without correlation. Each layer ℓ contributes e_ℓ = ‖ΔW‖/‖W‖, and √Σ e_ℓ² is what the tolerance limits.
  case approximate(tolerance: Double)

  var tolerance: Double {
    if case .approximate(let tolerance) = self { return tolerance }
    return 0
  }
}

/// `off`, `exact`, `approx=0.05`.
extension Separation: LosslessStringConvertible {
  public init?(_ description: String) {
    switch description {
    case "off": self = .off
    case "exact": self = .exact
    default:
      let prefix = "approx="
      guard description.hasPrefix(prefix), let tolerance = Double(description.dropFirst(prefix.count)),
        tolerance > 0, tolerance < 1
      else { return nil }
      self = .approximate(tolerance: tolerance)
    }
  }

  public var description: String {
    switch self {
    case .off: "off"
    case .exact: "exact"
    case .approximate(let tolerance): "approx=\(tolerance)"
    }
  }
}

/// How many singular values stay.
public enum SeparableRanks: Sendable, Hashable {
  /// So many of each matrix: the number of terms, or the channels in between.
  case equal(Int)
  /// Of each input channel.
  case ofChannels([Int])

  public var largest: Int {
    switch self {
    case .equal(let rank): rank
    case .ofChannels(let ranks): ranks.max() ?? 0
    }
  }

  /// Of ranks of channels, each channel as often as its rank is.
  var units: [(channel: Int, term: Int)] {
    guard case .ofChannels(let ranks) = self else { return [] }
    return ranks.enumerated().flatMap { channel, rank in (0..<rank).map { (channel, $0) } }
  }
}

/// What was found in a layer's weights, and what is made of it.
public struct SeparableLayerReport: Sendable {
  /// What a layer can be replaced by.
  public struct Choice: Sendable, Hashable {
    public var structure: SeparableStructure
    public var ranks: SeparableRanks
    /// ‖ΔW‖ / ‖W‖.
    public var relativeError: Double
    public var macs: Int
    /// As the cost model counts.
    public var cost: Double
    /// Whether the error is rounding.
    public var isExact: Bool

    package init(
      structure: SeparableStructure, ranks: SeparableRanks, relativeError: Double, macs: Int, cost: Double,
      isExact: Bool
    ) {
      self.structure = structure
      self.ranks = ranks
      self.relativeError = relativeError
      self.macs = macs
      self.cost = cost
      self.isExact = isExact
    }
  }

  /// How far the results of a chosen replacement can be off, from its weights as they are stored.
  public struct Bounds: Sendable, Hashable {
    /// For each output channel ‖ΔW_o‖₁: times the largest magnitude of the input it bounds the error of every result.
    public var absoluteSums: [Double]
    /// The part of it that positive weights of ΔW_o have.
    public var positiveSums: [Double]
    /// For each output channel ‖ΔW_o‖₂: times the norm of the inputs under the kernel it bounds the error of a result.
    public var norms: [Double]
    /// ‖ΔW‖ / ‖W‖.
    public var relativeError: Double

    /// For each output channel the largest error of a result, before the activation, for inputs within `range`; where
    /// the layer pads, zeros are among them.
    public func outputErrors(within range: ClosedRange<Double>) -> [Double] {
      let (low, high) = (max(0, -range.lowerBound), max(0, range.upperBound))
      return zip(absoluteSums, positiveSums).map { all, positive in
        let negative = max(0, all - positive)
        return max(high * positive + low * negative, high * negative + low * positive)
      }
    }
  }

  public enum Verdict: String, Sendable {
    case rewrite, keep
  }

  public var node: NodeID
  public var name: String
  /// Outputs × inputs of a group × kernel.
  public var kernel: String
  public var macs: Int
  public var cost: Double
  public var verdict: Verdict
  /// Why it is kept, or what is gained.
  public var reason: String
  /// What is chosen; of a layer that is kept, the nearest that would be cheaper.
  public var choice: Choice?
  public var bounds: Bounds?
  /// What the elements of the layer's input are known to keep within; infinite where nothing is known.
  public var inputRange = -Double.infinity...Double.infinity
  /// For each structure that was tried, the share of Σ σ² of every rank, descending.
  public var spectra: [(structure: SeparableStructure, shares: [Double])]
}
