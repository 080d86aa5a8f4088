import ArgumentParser
import Sepal

struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a converted model with its original.",
    discussion: """
      The original is evaluated operator by operator in double precision, the converted model by the runtime. \
      Equivalent means |difference| ≤ atol + rtol · max |original| for every element of every output. \
      Exit code 1 when they are not.

      With a .sepal file alone, its golden vectors are replayed on this machine: what its source computed when it \
      was converted.
      """)

  @Argument(help: "The model as it was: \(SourceOptions.formats).")
  var original: String

  @Argument(help: "The model as it is now, whole in its file.")
  var converted: String?

  @OptionGroup var source: SourceOptions

  @Option(help: "Compare on this input instead of random ones: name=F.npy or F.npz.")
  var input: [String] = []

  @Option(help: "Number of random inputs.")
  var samples = 4

  @Option(help: "Seed of the random inputs.")
  var seed: UInt64 = 1

  @Option(help: "Accepted absolute error.")
  var atol = Tolerance().absolute

  @Option(help: "Accepted error relative to the largest element of the output.")
  var rtol = Tolerance().relative

  @Option(help: "Threads of the converted model.")
  var threads = 1

  @Flag(help: "Compare every layer that survived, and list them.")
  var layers = false

  @Flag(help: "When they are not equivalent, find the rewrite that is to blame.")
  var bisect = false

  @Option(
    help:
      "With --bisect: write a small model that goes wrong in the same way, and its inputs, to this folder.")
  var repro: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard samples >= 1 else {
      throw ValidationError("--samples is \(samples), expected 1 or more")
    }
    guard threads >= 1 else {
      throw ValidationError("--threads is \(threads), expected 1 or more")
    }
    guard atol >= 0, rtol >= 0 else {
      throw ValidationError("tolerances are \(atol) and \(rtol), expected 0 or more")
    }
    guard repro == nil || bisect else { throw ValidationError("--repro is for --bisect") }
    guard
      converted != nil
        || !bisect && !layers && input.isEmpty && source.arguments.isEmpty && source.weights == nil
    else {
      throw ValidationError("one file alone is compared with its own golden vectors, as it is")
    }
  }

  func run() throws {
    guard let converted else {
      try GoldenReplayCommand(path: original, threads: threads, json: json).run()
      return
    }
    let before = try source.load(original)
    let after = try ModelFile(path: converted, shapes: try source.shapes())
    var options = Validator.Options()
    options.samples = samples
    options.seed = seed
    options.tolerance = Tolerance(absolute: atol, relative: rtol)
    options.comparesLayers = layers
    options.threads = threads
    let report = try compare(before, after, options)
    let bisection =
      bisect && !report.isEquivalent
      ? try BisectionReport(
        before, after, options: options, inputs: try givenInputs(for: before), reproFolder: repro) : nil
    if json {
      try printJSON(ValidationSummary(report, bisection))
    } else {
      printReport(report)
      if let bisection { BisectionPrinter(report: bisection).run() }
    }
    if !report.isEquivalent { throw ExitCode(1) }
  }

  private func compare(
    _ before: ModelFile, _ after: ModelFile, _ options: Validator.Options
  ) throws -> ValidationReport {
    let inputs = try givenInputs(for: before)
    do throws(ComparisonError) {
      let validator = try Validator(original: before.graph, converted: after.graph, options: options)
      if let inputs { return try validator.run(inputs: inputs) }
      let progress = ProgressLine(label: "validating", total: options.samples)
      return try validator.run { progress.update($0) }
    } catch {
      throw SepalError(.badData, "\(before.path) and \(after.path): \(error)")
    }
  }

  /// Those of --input; nil where there are none.
  private func givenInputs(for model: ModelFile) throws(SepalError) -> [String: Tensor]? {
    guard !input.isEmpty else { return nil }
    var arrays = NamedArrays()
    for argument in input { try arrays.add(argument, for: model.graph) }
    return try arrays.inputs(for: model.graph)
  }

  private func printReport(_ report: ValidationReport) {
    var table = TextTable([
      ("output", .left), ("max abs", .right), ("max rel", .right), ("rms rel", .right), ("cosine", .right),
      ("top 1", .left), ("bound", .right), ("", .left),
    ])
    for output in report.outputs {
      let figures = output.comparison
      table.add([
        output.name, scientific(figures.maxAbsolute), scientific(figures.maxRelative),
        scientific(figures.rmsRelative), fixed(figures.cosine, 8), figures.top1Agrees ? "same" : "differs",
        scientific(figures.bound), figures.isWithinBound ? "ok" : "BEYOND",
      ])
    }
    print(table.text)
    if layers { printLayers(report) }
    let inputs =
      report.seed.map { "\(report.samples) random input\(report.samples == 1 ? "" : "s") (seed \($0))" }
      ?? "the given input"
    print(report.isEquivalent ? "equivalent on \(inputs)" : "NOT equivalent on \(inputs)")
    if let layer = report.firstDivergence {
      print("first layer beyond its bound: \(layer.name) (source tensor \(layer.origin))")
    } else if !report.isEquivalent && !layers {
      print("run again with --layers to find the first layer that differs")
    }
  }

  private func printLayers(_ report: ValidationReport) {
    var table = TextTable([
      ("layer", .left), ("source tensor", .left), ("max abs", .right), ("rms rel", .right), ("bound", .right),
      ("", .left),
    ])
    for layer in report.layers {
      let figures = layer.comparison
      table.add([
        layer.name, layer.origin, scientific(figures.maxAbsolute), scientific(figures.rmsRelative),
        scientific(figures.bound), figures.isWithinBound ? "ok" : "BEYOND",
      ])
    }
    print("\n\(table.text)\n")
  }
}

/// The JSON form of a report; its keys are part of the command line's contract.
private struct ValidationSummary: Encodable {
  struct Output: Encodable {
    var name: String
    var maxAbs, maxRel, rmsRel, cosine: Double
    var top1Agree: Bool
    var bound: Double
    var ok: Bool

    enum CodingKeys: String, CodingKey {
      case name, cosine, bound, ok
      case maxAbs = "max_abs"
      case maxRel = "max_rel"
      case rmsRel = "rms_rel"
      case top1Agree = "top1_agree"
    }
  }

  struct Layer: Encodable {
    var name, origin: String
    var maxAbs, rmsRel, bound: Double
    var ok: Bool
  }

  var equivalent: Bool
  var samples: Int
  var seed: UInt64?
  var outputs: [Output]
  var layers: [Layer]
  var firstDivergence: String?
  var bisection: BisectionReport?

  init(_ report: ValidationReport, _ bisection: BisectionReport?) {
    self.bisection = bisection
    equivalent = report.isEquivalent
    samples = report.samples
    seed = report.seed
    outputs = report.outputs.map { output in
      let figures = output.comparison
      return Output(
        name: output.name, maxAbs: figures.maxAbsolute, maxRel: figures.maxRelative,
        rmsRel: figures.rmsRelative,
        cosine: figures.cosine, top1Agree: figures.top1Agrees, bound: figures.bound, ok: figures.isWithinBound
      )
    }
    layers = report.layers.map { layer in
      let figures = layer.comparison
      return Layer(
        name: layer.name, origin: layer.origin, maxAbs: figures.maxAbsolute, rmsRel: figures.rmsRelative,
        bound: figures.bound, ok: figures.isWithinBound)
    }
    firstDivergence = report.firstDivergence?.name
  }
}
