/// What an optimisation did.
public struct OptimizationReport: Sendable, Hashable {
  public struct Pass: Sendable, Hashable {
    public var name: String
    /// Applied rewrites, over all rounds.
    public var rewrites = 0
    /// Time spent in the pass and in applying and checking its rewrites, over all rounds.
    public var milliseconds = 0.0
  }

  /// In pipeline order, without the disabled ones.
  public var passes: [Pass]
  /// Rounds over a stage of the pipeline, those that found nothing included.
  public var rounds = 0
  /// True when `stopAfter` ended the optimisation.
  public var stoppedEarly = false

  public var rewrites: Int { passes.reduce(0) { $0 + $1.rewrites } }
}
