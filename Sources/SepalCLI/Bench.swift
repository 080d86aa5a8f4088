import ArgumentParser
import Sepal

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time loading and running a model on seeded inputs.")

  @Argument(help: "The model: \(SourceOptions.formats).")
  var model: String

  @OptionGroup var source: SourceOptions

  @Option(help: "Threads to run on.")
  var threads = 1

  @Option(help: "Timed runs after the first.")
  var runs = 50

  @Flag(help: "Time every step of the plan by itself, on one thread.")
  var profile = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard threads >= 1 else { throw ValidationError("--threads is \(threads), expected 1 or more") }
    guard runs >= 1 else { throw ValidationError("--runs is \(runs), expected 1 or more") }
  }

  func run() throws {
    let result = try Benchmark(
      path: model, shapes: try source.shapes(), weights: source.weights, threads: threads, runs: runs,
      profile: profile)
    if json {
      try printJSON(result)
      return
    }
    print("\(model), \(result.threads) thread\(result.threads == 1 ? "" : "s"), \(result.runs) runs")
    print("  load    \(fixed(result.loadMs, 2)) ms")
    print("  first   \(fixed(result.firstMs, 2)) ms")
    print("  median  \(fixed(result.medianMs, 2)) ms")
    print("  minimum \(fixed(result.minMs, 2)) ms")
    print("  90%     \(fixed(result.p90Ms, 2)) ms")
    print(
      "  memory  \(bytes(result.peakRssBytes)) resident at the peak, \(bytes(result.peakActivationBytes)) of it activations"
    )
    if let steps = result.steps { printProfile(steps) }
  }

  private func printProfile(_ steps: [Benchmark.Step]) {
    let total = steps.reduce(0) { $0 + $1.medianMs }
    var table = TextTable([
      ("step", .left), ("operator", .left), ("kernel", .left), ("ms", .right), ("share", .right),
      ("GFLOP/s", .right),
    ])
    for step in steps {
      let share = total > 0 ? step.medianMs / total * 100 : 0
      let rate =
        step.macs > 0 && step.medianMs > 0 ? fixed(Double(2 * step.macs) / step.medianMs / 1e6, 1) : ""
      table.add([step.name, step.op, step.kernel, fixed(step.medianMs, 3), "\(fixed(share, 1))%", rate])
    }
    print("\n\(table.text)")
  }
}
