import ArgumentParser
import Sepal

extension Storage: ExpressibleByArgument {}
extension StoragePrecision: ExpressibleByArgument {}

/// `off`, `exact`, `approx=0.05`.
struct SeparableOption: ExpressibleByArgument {
  var separation: Separation

  init(separation: Separation) { self.separation = separation }

  init?(argument: String) {
    guard let separation = Separation(argument) else { return nil }
    self.separation = separation
  }

  var defaultValueDescription: String { separation.description }
}

/// What counts as cheaper.
enum CostOption: String, ExpressibleByArgument, CaseIterable {
  case time, macs

  /// Where nothing is said, exact rewrites are the same on every machine.
  static func model(_ chosen: CostOption?, _ separation: Separation) throws -> any CostModel {
    var isApproximate = false
    if case .approximate = separation { isApproximate = true }
    switch chosen ?? (isApproximate ? .time : .macs) {
    case .time: return PredictedTime(try .ofThisMachine())
    case .macs: return MACCost()
    }
  }
}

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Optimise an ONNX or Keras model and write it as a .sepal file, or as ONNX.",
    discussion: "Passes: \(Optimizer.passNames.joined(separator: ", ")).")

  @Argument(help: "The model: \(SourceOptions.formats).")
  var input: String

  @Option(name: .shortAndLong, help: "The file to write: .sepal or .onnx.")
  var output: String

  @OptionGroup var source: SourceOptions

  @Option(help: "How weights are stored: f32 keeps every bit, f16 rounds them. (default: f32)")
  var precision: StoragePrecision?

  @Option(
    help: "compact: smallest file; mmap: weights are used in place, without copying. (default: compact)")
  var storage: Storage?

  @Option(help: "Operator set of an .onnx file, \(Self.opsets). (default: 17)")
  var opset: Int?

  @Flag(help: "Write the weights of an .onnx file beside it, as always above 2 GB.")
  var externalData = false

  @Option(help: "Leave a pass out. Repeat for several.")
  var disablePass: [String] = []

  @Option(help: "Stop after this many rewrites.")
  var stopAfter: Int?

  @Flag(
    inversion: .prefixedNo,
    help:
      "Store what the source computes, for `validate FILE`. By default where that takes about a second at most."
  )
  var golden: Bool?

  @Flag(help: "Leave out where values come from, what was done to them, and golden vectors.")
  var strip = false

  @Option(
    help:
      "Convolutions that are separable by their weights: off, exact, or approx=TOL with a relative error of the output."
  )
  var separable = SeparableOption(separation: .exact)

  @Flag(
    help:
      "Check of each rewrite that what comes computes the same as what goes; write nothing if one does not.")
  var verify = false

  @Option(
    help:
      "What decides whether a separable layer is worth while: time as predicted for this machine (with approx=TOL), or macs (otherwise)."
  )
  var cost: CostOption?

  @Option(
    help:
      "Fit what --separable approx=TOL makes to samples of the inputs: F.npz with arrays named like them, F.npy, a folder of .npy files, of images (with --preprocess), or of ONNX's test_data_set_ folders."
  )
  var calibrate: String?

  @Option(help: ImagePreprocessing.help)
  var preprocess: ImagePreprocessing?

  @Flag(help: "Print every rewrite.")
  var explain = false

  @Flag(help: "Print one JSON object.")
  var json = false

  private static var opsets: String {
    "\(ONNXExporter.opsets.lowerBound) to \(ONNXExporter.opsets.upperBound)"
  }

  func validate() throws {
    if let opset, !ONNXExporter.opsets.contains(opset) {
      throw ValidationError("--opset is \(opset), expected \(Self.opsets)")
    }
    if output.hasSuffix(".onnx") {
      guard precision == nil, storage == nil, golden != true, !strip else {
        throw ValidationError("--precision, --storage, --golden and --strip are for .sepal files")
      }
    } else if opset != nil || externalData {
      throw ValidationError("--opset and --external-data are for .onnx files")
    }
    if let stopAfter, stopAfter < 0 {
      throw ValidationError("--stop-after is \(stopAfter), expected 0 or more")
    }
    if calibrate != nil {
      guard case .approximate = separable.separation else {
        throw ValidationError("--calibrate needs --separable approx=TOL")
      }
    }
    guard preprocess == nil || calibrate != nil else {
      throw ValidationError("--preprocess is for the images of --calibrate")
    }
    guard !(strip && golden == true) else { throw ValidationError("--strip leaves out what --golden stores") }
  }

  func run() throws {
    var converter = Converter()
    converter.shapes = try source.shapes()
    converter.weights = source.weights
    converter.storage = storage ?? .compact
    converter.precision = precision ?? .f32
    if opset != nil || externalData {
      var options = ONNXOptions()
      if let opset { options.opset = opset }
      options.usesExternalData = externalData
      converter.onnx = options
    }
    converter.golden = golden
    converter.strips = strip
    converter.verifies = verify
    converter.optimization.disabledPasses = Set(disablePass)
    converter.optimization.stopAfter = stopAfter
    converter.optimization.separation = separable.separation
    converter.optimization.cost = try CostOption.model(cost, separable.separation)
    converter.calibration = calibrate.map { Calibration(path: $0, preprocessing: preprocess) }
    let result = try converter.convert(input, to: output)
    for note in result.notes { FileHandle.error.write("note: \(note)\n") }
    if json {
      try printJSON(result.report)
      return
    }
    if explain { for record in result.graph.provenance.rewrites { print(describe(record)) } }
    let report = result.report
    print("\(report.input) → \(report.output)")
    print("  nodes  \(report.nodesBefore) → \(report.nodesAfter)")
    let ratio = Double(report.bytesOut) / Double(max(report.bytesIn, 1))
    print("  size   \(bytes(report.bytesIn)) → \(bytes(report.bytesOut)) (\(fixed(ratio * 100, 0))%)")
    print("  time   \(fixed(report.seconds * 1000, 0)) ms")
    if let verified = report.verified { print("  checks \(verified) rewrites compute what they replaced") }
    let active = report.passes.filter { $0.rewrites > 0 }
    if !active.isEmpty {
      var table = TextTable([("  pass", .left), ("rewrites", .right), ("ms", .right)])
      for pass in active { table.add(["  \(pass.name)", "\(pass.rewrites)", fixed(pass.milliseconds, 1)]) }
      print(table.text)
    }
  }

  private func describe(_ record: RewriteRecord) -> String {
    let exactness =
      switch record.exactness {
      case .exact: "exact"
      case .reassociated: "reassociated"
      case .approximate(let bound): "approximate, relative error at most \(scientific(bound))"
      }
    let after = record.after.isEmpty ? "nothing" : record.after.joined(separator: ", ")
    return "\(record.pass): \(record.before.joined(separator: ", ")) → \(after) [\(exactness)]"
  }
}
