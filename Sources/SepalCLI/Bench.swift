import ArgumentParser
import Sepal

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time loading and running a model on seeded inputs.")

  @Argument(help: "The model: .onnx or .sepal.")
  var model: String

  @OptionGroup var shape: ShapeOptions

  @Option(help: "Threads to run on.")
  var threads = 1

  @Option(help: "Timed runs after the first.")
  var runs = 50

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard threads >= 1 else { throw ValidationError("--threads is \(threads), expected 1 or more") }
    guard runs >= 1 else { throw ValidationError("--runs is \(runs), expected 1 or more") }
  }

  func run() throws {
    let result = try Benchmark(path: model, shapes: try shape.shapes(), threads: threads, runs: runs)
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
  }
}
