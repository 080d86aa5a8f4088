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

  /// Counts a later run over the same graph in.
  public mutating func add(_ later: OptimizationReport) {
    for pass in later.passes {
      if let index = passes.firstIndex(where: { $0.name == pass.name }) {
        passes[index].rewrites += pass.rewrites
        passes[index].milliseconds += pass.milliseconds
      } else {
        passes.append(pass)
      }
    }
    rounds += later.rounds
    stoppedEarly = stoppedEarly || later.stoppedEarly
  }
}
