import ArgumentParser
import Sepal

struct Separable: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look for convolutions that can become separable, by their weights.",
    discussion:
      "The model is optimised as 'convert' does with the same options; it is not written. Times are predicted for one core of this machine."
  )

  @Argument(help: "The model: \(SourceOptions.formats).")
  var model: String

  @OptionGroup var source: SourceOptions

  @Option(
    help: "The relative error of the output that may be spent; without it only what is exact is chosen.")
  var tolerance: Double?

  @Option(
    help:
      "What decides whether a separable layer is worth while: time as predicted for this machine (with --tolerance), or macs (otherwise)."
  )
  var cost: CostOption?

  @Option(
    help:
      "Fit what --tolerance allows to samples of the inputs: F.npz with arrays named like them, F.npy, a folder of .npy files, of images (with --preprocess), or of ONNX's test_data_set_ folders."
  )
  var calibrate: String?

  @Option(help: ImagePreprocessing.help)
  var preprocess: ImagePreprocessing?

  @Option(
    parsing: .unconditional,
    help:
      "What the elements of the model's inputs are within, as in 0:1: for bounds of errors. Of later layers it is known behind activations such as ReLU6."
  )
  var inputRange: RangeArgument?

  @Flag(help: "Run what is rewritten, before and after, and print times beside the predicted ones.")
  var measure = false

  @Option(help: "Draw the singular values of each layer: a file in .svg or .html.")
  var spectrum: String?

  @Flag(help: "List every layer, also where a network has many that are kept.")
  var all = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let tolerance, !(tolerance > 0 && tolerance < 1) {
      throw ValidationError("--tolerance is \(tolerance), expected more than 0 and less than 1")
    }
    guard calibrate == nil || tolerance != nil else { throw ValidationError("--calibrate needs --tolerance") }
    guard preprocess == nil || calibrate != nil else {
      throw ValidationError("--preprocess is for the images of --calibrate")
    }
    if let spectrum, !spectrum.hasSuffix(".svg"), !spectrum.hasSuffix(".html") {
      throw ValidationError("--spectrum is \(spectrum), expected a file in .svg or .html")
    }
  }

  func run() throws {
    let file = try source.load(model)
    var options = SeparableReport.Options()
    options.tolerance = tolerance
    options.cost = try CostOption.model(cost, tolerance.map { .approximate(tolerance: $0) } ?? .exact)
    options.times = try options.cost as? PredictedTime ?? PredictedTime(.ofThisMachine())
    options.calibration = calibrate.map { Calibration(path: $0, preprocessing: preprocess) }
    options.inputRange = inputRange?.range
    options.measures = measure
    let report = try SeparableReport(file, options)
    if let spectrum {
      let drawing = SpectrumDrawing(report)
      try write(spectrum.hasSuffix(".svg") ? drawing.svg + "\n" : drawing.html, to: spectrum)
    }
    if json {
      try printJSON(report)
    } else {
      print(SeparableText(report, model: model, listsAll: all).text)
    }
  }
}

/// `0:1`.
struct RangeArgument: ExpressibleByArgument {
  var range: ClosedRange<Double>

  init?(argument: String) {
    let ends = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low.isFinite, high.isFinite, low <= high
    else { return nil }
    range = low...high
  }
}
