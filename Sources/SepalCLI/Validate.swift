import ArgumentParser
import Sepal

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a converted model with its original.",
    discussion: """
      The original is evaluated operator by operator in double precision, the converted model by the runtime. \
      Equivalent means two things. Every step of the runtime is within the bound on rounding errors of the same step \
      in double precision on the same operands. And every element of every output is within so many standard \
      deviations of the original's (--deviations), as they are predicted for the rounding errors on the way and for \
      weights in less than single precision; so is every layer inside that stands for a tensor of the original, within \
      five times as many. --atol or --rtol take the place of the second: \
      |difference| ≤ atol + rtol · max |original|. Exit code 1 when the models are not equivalent.

      Any two readable models can be compared. Inputs and outputs belong together by name, otherwise by type and order.

      With a .sepal file alone, its golden vectors are replayed on this machine: what its source computed when it \
      was converted.
      """)

  @Argument(help: "The model as it was: \(SourceOptions.formats).")
  var original: String

  @Argument(help: "The model as it is now, whole in its file.")
  var converted: String?

  @OptionGroup var source: SourceOptions

  @Option(
    help: """
      Compare on this instead of random inputs: name=F.npy for each input, an F.npz or F.npy of one or many samples, a \
      folder of .npy files, of images, or of ONNX's test_data_set_ folders.
      """)
  var input: [String] = []

  @Option(help: ImagePreprocessing.help)
  var preprocess: ImagePreprocessing?

  @Option(
    help:
      "Number of seeded inputs: normal, even, zero, near the knees of activations, large, small, constant.")
  var samples = Validator.Options().samples

  @Option(help: "Seed of the random inputs.")
  var seed: UInt64 = 1

  @Option(help: "Accepted error of an output in predicted standard deviations.")
  var deviations = 10.0

  @Option(help: "Accepted absolute error, instead.")
  var atol: Double?

  @Option(help: "Accepted error relative to the largest element of the output, instead.")
  var rtol: Double?

  @Option(help: "Threads of the converted model.")
  var threads = 1

  @Flag(help: "List every layer that survived.")
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
    for (name, value) in [("deviations", deviations), ("atol", atol ?? 0), ("rtol", rtol ?? 0)] {
      guard value >= 0 else { throw ValidationError("--\(name) is \(value), expected 0 or more") }
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
    options.criterion = criterion
    options.threads = threads
    options.workers = max(1, ProcessInfo.processInfo.activeProcessorCount / threads)
    let given = input.isEmpty ? nil : try InputSamples(input, for: before.graph, preprocessing: preprocess)
    let report = try compare(before, after, options, given)
    var bisection: BisectionReport?
    if bisect, let failure = report.firstFailure {
      let sample =
        try given?.sample(failure) ?? InputGenerator.sample(failure, seed: seed, for: before.graph)
      bisection = try BisectionReport(
        before, after, options: options, inputs: sample.inputs, reproFolder: repro)
    }
    if json {
      try printJSON(ValidationSummary(report, bisection))
    } else {
      ValidationText(report: report, showsLayers: layers).show()
      if let bisection { BisectionPrinter(report: bisection).run() }
    }
    if after.graph.provenance.isCalibrated, given == nil, !report.isEquivalent {
      FileHandle.error.write(
        "note: approximations were fitted to samples, and promise what they do for inputs like those: give some with --input\n"
      )
    }
    if !report.isEquivalent { throw ExitCode(1) }
  }

  /// A fixed tolerance as soon as one half of it is given, with the usual value of the other.
  private var criterion: Criterion {
    guard atol != nil || rtol != nil else { return .deviations(deviations) }
    let usual = Tolerance()
    return .tolerance(Tolerance(absolute: atol ?? usual.absolute, relative: rtol ?? usual.relative))
  }

  private func compare(
    _ before: ModelFile, _ after: ModelFile, _ options: Validator.Options, _ given: InputSamples?
  ) throws -> ValidationReport {
    do throws(ComparisonError) {
      let validator = try Validator(original: before.graph, converted: after.graph, options: options)
      for note in validator.notes { FileHandle.error.write("note: \(note)\n") }
      let progress = ProgressLine(label: "validating", total: given?.count ?? options.samples)
      guard let given else { return try validator.run { progress.update($0) } }
      return try validator.run(samples: given.count, progress: { progress.update($0) }) {
        (index) throws(ComparisonError) in
        do throws(SepalError) {
          return try given.sample(index)
        } catch {
          throw ComparisonError(error.message)
        }
      }
    } catch {
      throw SepalError(.badData, "\(before.path) and \(after.path): \(error)")
    }
  }
}
