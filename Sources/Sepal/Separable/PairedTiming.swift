import SepalGraph
import SepalRuntime
import SepalValidation

/// The times of two graphs for the same on one thread, measured in turns: what else the machine does meets both alike.
struct PairedTiming {
  /// The least of all runs.
  let beforeMilliseconds, afterMilliseconds: Double

  private static let leastRuns = 5
  private static let mostRuns = 200
  /// Enough is measured after this.
  private static let patience = Duration.milliseconds(400)

  /// - Parameter borders: as for `MachineCost`; copies at the borders of a part of a network do not count.
  init(_ before: Graph, _ after: Graph, borders: MachineCost.Borders) throws(RuntimeError) {
    let pair = [try TimedModel(before, borders), try TimedModel(after, borders)]
    var least = [Double.infinity, .infinity]
    let start = ContinuousClock.now
    // The first run packs weights.
    for model in pair { _ = try model.run() }
    for run in 0..<Self.mostRuns where run < Self.leastRuns || ContinuousClock.now - start < Self.patience {
      for (index, model) in pair.enumerated() { least[index] = min(least[index], try model.run()) }
    }
    (beforeMilliseconds, afterMilliseconds) = (least[0], least[1])
  }
}

private struct TimedModel {
  private let session: Session
  /// Steps that count.
  private let counts: [Bool]

  init(_ graph: Graph, _ borders: MachineCost.Borders) throws(RuntimeError) {
    let model = try Model(graph, options: ModelOptions(threads: 1))
    session = model.makeSession()
    counts = model.copiesBorder.map { borders == .model || !$0 }
    var generator = InputGenerator(seed: 1)
    for (name, tensor) in generator.inputs(for: graph) {
      let buffer = try session.inputBuffer(name)
      tensor.withUnsafeBytes { buffer.copyMemory(from: $0) }
    }
  }

  func run() throws(RuntimeError) -> Double {
    zip(try session.profile(), counts).reduce(0) { $1.1 ? $0 + $1.0 / .milliseconds(1) : $0 }
  }
}
