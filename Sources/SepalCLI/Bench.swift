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

  @Flag(help: "Also predict the time of every step from this machine's calibration. Implies --profile.")
  var predict = false

  @Flag(help: "Plan every node as a step of its own, as a profile by node needs.")
  var stepwise = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard threads >= 1 else { throw ValidationError("--threads is \(threads), expected 1 or more") }
    guard runs >= 1 else { throw ValidationError("--runs is \(runs), expected 1 or more") }
  }

  func run() throws {
    let cost = predict ? try MachineCost.ofThisMachine() : nil
    let result = try Benchmark(
      path: model, shapes: try source.shapes(), weights: source.weights, threads: threads, runs: runs,
      profile: profile || predict, fusesSegments: !stepwise, cost: cost)
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
    if let steps = result.steps, let peak = result.peakGflops { printProfile(steps, peak) }
  }

  private func printProfile(_ steps: [Benchmark.Step], _ peak: Double) {
    let total = steps.reduce(0) { $0 + $1.medianMs }
    var table = TextTable(
      [("step", .left), ("kernel", .left), ("ms", .right)]
        + (predict ? [("predicted", .right), ("of minimum", .right)] : [])
        + [("share", .right), ("GFLOP/s", .right), ("of peak", .right), ("MB", .right)])
    for step in steps where step.medianMs > 0 || step.macs > 0 {
      var prediction: [String] = []
      if predict {
        let predicted = step.predictedMs ?? 0
        prediction = [fixed(predicted, 3), percent(predicted, of: step.minMs)]
      }
      table.add(
        [ending(of: step.name.isEmpty ? "-" : step.name, 32), step.kernel, fixed(step.medianMs, 3)]
          + prediction
          + [
            percent(step.medianMs, of: total), step.macs > 0 ? fixed(step.gflops, 1) : "",
            step.macs > 0 ? percent(step.gflops, of: peak) : "", fixed(Double(step.movedBytes) / 1e6, 2),
          ])
    }
    print("\n\(table.text)")
    let macs = steps.reduce(0) { $0 + $1.macs }
    let rate = total > 0 ? Double(2 * macs) / total / 1e6 : 0
    print(
      "\n\(fixed(total, 2)) ms in steps, \(fixed(rate, 1)) GFLOP/s: \(percent(rate, of: peak)) of the \(fixed(peak, 1)) that one core was measured to do"
    )
    if predict {
      let predicted = steps.reduce(0) { $0 + ($1.predictedMs ?? 0) }
      let shortest = steps.reduce(0) { $0 + $1.minMs }
      print(
        "\(fixed(predicted, 2)) ms predicted, \(percent(predicted, of: shortest)) of the \(fixed(shortest, 2)) that the steps take at best"
      )
    }
  }

  private func percent(_ part: Double, of whole: Double) -> String {
    whole > 0 ? "\(fixed(part / whole * 100, 1))%" : ""
  }

  /// The last `count` characters, where names differ.
  private func ending(of text: String, _ count: Int) -> String {
    text.count <= count ? text : "…" + text.suffix(count - 1)
  }
}
