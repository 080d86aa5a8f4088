import Foundation
import Testing

/// The real binary: what it prints, where, and its exit codes.
struct CommandLineTests {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String

    func json() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardized
  let folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
    "sepal-cli-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private func fixture(_ name: String) -> String { Self.root.appendingPathComponent("fixtures/\(name)").path }
  private func scratch(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// The product beside the test bundle.
  private static func executable() throws -> URL {
    #if os(Linux)
      let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    #else
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundlePath ?? ""
    #endif
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("sepal")
  }

  @discardableResult
  private func sepal(_ arguments: String...) throws -> Outcome { try sepal(arguments) }

  private func sepal(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = try Self.executable()
    process.arguments = arguments
    let (output, errors) = (scratch("stdout"), scratch("stderr"))
    for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationReason == .uncaughtSignal
        ? -process.terminationStatus : process.terminationStatus,
      output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }

  @Test func convertInspectRunValidateAndBenchWorkTogether() throws {
    let model = scratch("digits.sepal")
    let converted = try sepal("convert", fixture("digits/digits.onnx"), "-o", model, "--json")
    #expect(converted.status == 0, "\(converted.errors)")
    let report = try converted.json()
    #expect(
      Set(report.keys) == [
        "input", "output", "bytes_in", "bytes_out", "nodes_before", "nodes_after", "seconds", "passes",
      ])
    #expect(report["nodes_before"] as? Int == 48)
    let pass = try #require((report["passes"] as? [[String: Any]])?.first)
    #expect(Set(pass.keys) == ["name", "rewrites", "milliseconds"])

    let inspection = try sepal("inspect", model, "--json").json()
    #expect(Set(inspection.keys) == ["format", "inputs", "outputs", "totals", "layers"])
    #expect(
      Set((inspection["totals"] as? [String: Any] ?? [:]).keys) == [
        "nodes", "parameters", "macs", "weight_bytes", "peak_activation_bytes",
      ])
    let layer = try #require((inspection["layers"] as? [[String: Any]])?.first)
    #expect(
      Set(layer.keys) == [
        "name", "op", "activation", "inputs", "outputs", "output_shape", "parameters", "macs", "origins",
      ])

    let label = try String(contentsOfFile: fixture("digits/one_label.txt"), encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let arrays = scratch("out.npz")
    let run = try sepal(
      "run", model, "--input", "image=\(fixture("digits/one_image.npy"))", "--top", "1", "--output", arrays)
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.first == "logits: float32 1×10")
    #expect(lines.last?.split(separator: " ").first.map(String.init) == label)
    #expect(FileManager.default.fileExists(atPath: arrays))

    let validation = try sepal("validate", fixture("digits/digits.onnx"), model, "--layers", "--json")
    #expect(validation.status == 0, "\(validation.errors)")
    let verdict = try validation.json()
    #expect(verdict["equivalent"] as? Bool == true)
    let output = try #require((verdict["outputs"] as? [[String: Any]])?.first)
    #expect(
      Set(output.keys) == [
        "name", "max_abs", "max_rel", "rms_rel", "cosine", "top1_agree", "top1_margin", "observed", "bound",
        "sigma",
        "deviations", "median_ratio", "unbounded", "ok",
      ])
    let steps = try #require(verdict["steps"] as? [[String: Any]])
    #expect(
      Set(steps[0].keys) == ["name", "op", "kernel", "nodes", "observed", "bound", "ratio", "ok"])
    let compared = try #require(verdict["layers"] as? [[String: Any]])
    #expect(compared.count > 5)
    #expect(
      Set(compared[0].keys) == [
        "name", "origin", "max_abs", "rms_rel", "bound", "sigma", "deviations", "growth", "ok",
      ])

    let bench = try sepal("bench", model, "--runs", "3", "--json").json()
    #expect(
      Set(bench.keys) == [
        "threads", "runs", "load_ms", "first_ms", "median_ms", "min_ms", "p90_ms", "peak_rss_bytes",
        "peak_activation_bytes",
      ])
  }

  @Test func aKerasArchitectureIsReadWithItsWeightsByEveryCommand() throws {
    let index = try Data(contentsOf: URL(fileURLWithPath: fixture("keras_layers/index.json")))
    let models = try JSONSerialization.jsonObject(with: index) as? [[String: Any]] ?? []
    let entry = try #require(
      models.first {
        $0["container"] as? String == "weights" && ($0["name"] as? String)?.hasPrefix("dense") == true
      })
    func part(_ key: String) throws -> String {
      fixture("keras_layers/\(try #require(entry[key] as? String))")
    }
    let (model, weights) = (try part("file"), try part("weights"))
    let converted = scratch("dense.sepal")
    let conversion = try sepal("convert", model, "--weights", weights, "-o", converted)
    #expect(conversion.status == 0, "\(conversion.errors)")
    let inspection = try sepal("inspect", model, "--weights", weights, "--json")
    #expect(try inspection.json()["format"] as? String == "keras")
    let run = try sepal(
      "run", model, "--weights", weights, "--shape", "x=2x5", "--input", part("values"))
    #expect(run.status == 0, "\(run.errors)")
    let validation = try sepal("validate", model, converted, "--weights", weights)
    #expect(validation.status == 0, "\(validation.output)\(validation.errors)")
    #expect(try sepal("bench", model, "--weights", weights, "--runs", "1").status == 0)
    let alone = try sepal("inspect", weights)
    #expect(alone.status == 65)
    #expect(alone.errors.contains("--weights"), "\(alone.errors)")
    #expect(try sepal("inspect", model, "--weights", scratch("nothing.h5")).status == 66)
    #expect(try sepal("inspect", converted, "--weights", weights).status == 64)
  }

  @Test func aConvertedFileIsCheckedByItself() throws {
    let source = fixture("digits/digits.onnx")
    let model = scratch("digits.sepal")
    #expect(try sepal("convert", source, "-o", model).status == 0)
    let replay = try sepal("validate", model)
    #expect(replay.status == 0, "\(replay.output)\(replay.errors)")
    #expect(replay.output.contains("\nequivalent on 1 golden vector ("), "\(replay.output)")
    let digest = "448574cd"
    let report = try sepal("validate", model, "--json", "--threads", "2").json()
    #expect(
      Set(report.keys) == [
        "equivalent", "intact", "vectors", "instruction_set", "threads", "source_format", "source_digest",
        "tool_version", "outputs",
      ])
    #expect(report["equivalent"] as? Bool == true)
    #expect((report["source_digest"] as? String)?.hasPrefix(digest) == true)
    let output = try #require((report["outputs"] as? [[String: Any]])?.first)
    #expect(Set(output.keys) == ["name", "compared", "count", "max_abs", "bound", "ok"])
    #expect(try sepal("inspect", model).output.contains("source      onnx, SHA-256 \(digest)"))

    let half = scratch("half.sepal")
    #expect(try sepal("convert", source, "-o", half, "--precision", "f16").status == 0)
    #expect(try sepal("validate", half).status == 0)
    let again = scratch("again.sepal")
    #expect(try sepal("convert", model, "-o", again, "--storage", "mmap").status == 0)
    #expect(try sepal("validate", again).status == 0)

    for flag in ["--strip", "--no-golden"] {
      #expect(try sepal("convert", source, "-o", again, flag).status == 0)
      let bare = try sepal("validate", again)
      #expect(bare.status == 65)
      #expect(bare.errors.contains("holds no golden vectors"), "\(bare.errors)")
    }
    #expect(try sepal("validate", source).status == 65)
    #expect(try sepal("validate", model, "--layers").status == 64)
    #expect(try sepal("convert", model, "-o", again, "--no-golden").status == 0)
    #expect(try sepal("convert", again, "-o", scratch("x.sepal"), "--golden").status == 64)
  }

  @Test func separableReportsDrawsAndConverts() throws {
    let model = fixture("separable/noise_0p01.onnx")
    let exact = try sepal("separable", model)
    #expect(exact.status == 0 && exact.output.contains("1 standard convolution, 0 to rewrite"))
    #expect(exact.output.contains("keep") && exact.output.contains("the nearest that would be faster"))

    let drawing = scratch("spectrum.svg")
    let report = try sepal(
      "separable", model, "--tolerance", "0.1", "--cost", "macs", "--input-range", "-1:2", "--measure",
      "--json",
      "--spectrum", drawing)
    let layers = try #require(try report.json()["layers"] as? [[String: Any]])
    let layer = try #require(layers.first)
    let keys = [
      "name", "kernel", "macs", "structure", "rank", "rel_error", "macs_after", "verdict", "reason",
      "ms", "ms_after", "measured_ms", "measured_ms_after", "input_range", "output_bounds", "norm_bound",
    ]
    for key in keys { #expect(layer[key] != nil, "\(key)") }
    #expect(layer["verdict"] as? String == "rewrite")
    #expect(try String(contentsOfFile: drawing, encoding: .utf8).hasPrefix("<svg"))

    let (plain, separated) = (scratch("plain.sepal"), scratch("separated.sepal"))
    #expect(try sepal("convert", model, "-o", plain, "--separable", "off").status == 0)
    let converted = try sepal("convert", model, "-o", separated, "--separable", "approx=0.1", "--explain")
    #expect(converted.output.contains("separate-convolutions: conv (Conv) →"))
    #expect(converted.output.contains("approximate, relative error at most"))
    let verdict = try sepal("validate", model, separated)
    #expect(verdict.status == 0, "\(verdict.output)")
    #expect(verdict.output.contains("approximated layer  promised  observed"))
    #expect(try sepal("validate", model, separated, "--rtol", "1e-4").status == 1)
    let hidden = fixture("separable_hidden/pointwise_as_centre_tap.onnx")
    let text = try sepal("separable", hidden, "--measure")
    #expect(text.output.contains("1×1 in a larger kernel") && text.output.contains("becomes 20×12×1×1"))
    #expect(text.output.contains("of predicted") && text.output.contains("network: "))
    for arguments in [
      ["--tolerance", "2"], ["--spectrum", "a.png"], ["--calibrate", model], ["--input-range", "2:1"],
    ] {
      #expect(try sepal("separable", model, arguments[0], arguments[1]).status == 64)
    }
    #expect(try sepal("convert", model, "-o", plain, "--separable", "approx=x").status == 64)
  }

  @Test func conversionIsVerifiedAndAWrongFileBisected() throws {
    let source = fixture("digits/digits.onnx")
    let model = scratch("digits.sepal")
    let verified = try sepal("convert", source, "-o", model, "--verify", "--json")
    #expect(verified.status == 0, "\(verified.errors)")
    let rewrites = try #require(try verified.json()["passes"] as? [[String: Any]])
      .reduce(0) { $0 + ($1["rewrites"] as? Int ?? 0) }
    #expect(try verified.json()["verified"] as? Int == rewrites)
    let right = try sepal("validate", source, model, "--bisect", "--json")
    #expect(right.status == 0)
    #expect(try right.json()["bisection"] == nil)

    let half = scratch("half.sepal")
    #expect(try sepal("convert", source, "-o", half, "--precision", "f16").status == 0)
    let wrong = try sepal("validate", source, half, "--rtol", "1e-5", "--bisect", "--json")
    #expect(wrong.status == 1, "\(wrong.errors)")
    let report = try #require(try wrong.json()["bisection"] as? [String: Any])
    #expect(Set(report.keys) == ["finding", "rewrites", "trials", "faults"])
    #expect(report["finding"] as? String == "file")
    #expect(report["rewrites"] as? Int == rewrites)
    let told = try sepal("validate", source, half, "--rtol", "1e-5", "--bisect", "--repro", scratch("repro"))
    #expect(
      told.output.contains("bisection: all \(rewrites) rewrites, replayed, are right"), "\(told.output)")
    #expect(try sepal("convert", source, "-o", half, "--precision", "f16", "--strip").status == 0)
    let stripped = try sepal("validate", source, half, "--rtol", "1e-5", "--bisect")
    #expect(stripped.status == 65)
    #expect(stripped.errors.contains("has no rewrite log"), "\(stripped.errors)")
    #expect(try sepal("validate", source, half, "--repro", scratch("repro")).status == 64)
    #expect(try sepal("validate", model, "--bisect").status == 64)
  }

  @Test func diffSaysWhetherModelsAreTheSame() throws {
    let model = fixture("digits/digits.onnx")
    let converted = scratch("digits.sepal")
    try sepal("convert", model, "-o", converted)
    let same = try sepal("diff", model, converted)
    #expect(same.status == 0, "\(same.output)")
    #expect(same.output == "same: 19 nodes, weights within 1.0e-06 of their largest\n")

    let half = scratch("half.sepal")
    try sepal("convert", model, "-o", half, "--precision", "f16")
    let rounded = try sepal("diff", model, half)
    #expect(rounded.status == 1)
    #expect(rounded.output.contains("\nsame structure of 19 nodes, "), "\(rounded.output)")
    #expect(try sepal("diff", model, half, "--tolerance", "0.001").status == 0)

    let (lower, upper) = (
      fixture("traps/conv_auto_pad_same_lower_8.onnx"), fixture("traps/conv_auto_pad_same_upper_8.onnx")
    )
    let padded = try sepal("diff", lower, upper)
    #expect(padded.status == 1)
    #expect(
      padded.output.hasPrefix("'padBegins' is [1,1] and [0,1], 'padEnds' is [0,1] and [1,1]\n  - conv: "))
    let report = try sepal("diff", lower, upper, "--json").json()
    #expect(Set(report.keys) == ["same", "nodes", "structure", "weights", "tolerance"])
    #expect(report["same"] as? Bool == false)
    #expect(report["nodes"] as? [String: Int] == ["a": 3, "b": 3, "common": 2])
    let place = try #require((report["structure"] as? [[String: Any]])?.first)
    #expect(Set(place.keys) == ["message", "a", "b"])
    let site = try #require((place["a"] as? [[String: Any]])?.first)
    #expect(Set(site.keys) == ["name", "op", "type", "origins"])
    let weights = try #require((report["weights"] as? [[String: Any]])?.first)
    #expect(Set(weights.keys) == ["a", "b", "rel_error"])
  }

  @Test func aLossyFileIsNotEquivalentUnderTheDefaultTolerance() throws {
    let model = scratch("half.sepal")
    try sepal("convert", fixture("digits/digits.onnx"), "-o", model, "--precision", "f16")
    let strict = try sepal("validate", fixture("digits/digits.onnx"), model, "--rtol", "1e-6")
    #expect(strict.status == 1)
    #expect(strict.output.contains("NOT equivalent"))
    let tolerant = try sepal("validate", fixture("digits/digits.onnx"), model, "--rtol", "0.05")
    #expect(tolerant.status == 0, "\(tolerant.output)")
  }

  @Test func layersNameTheFirstDivergence() throws {
    let model = scratch("half.sepal")
    try sepal("convert", fixture("digits/digits.onnx"), "-o", model, "--precision", "f16")
    let result = try sepal("validate", fixture("digits/digits.onnx"), model, "--layers", "--rtol", "1e-7")
    #expect(result.status == 1)
    #expect(result.output.contains("first layer beyond its bound: "))
  }

  @Test(arguments: [
    (["convert", "missing.onnx", "-o", "x.sepal"], 66), (["inspect"], 64),
    (["inspect", "--nonsense", "x"], 64),
    (["bench", "x", "--threads", "0"], 64), (["frobnicate"], 64),
  ])
  func exitCodesTellWhatIsWrong(arguments: [String], status: Int) throws {
    let process = Process()
    process.executableURL = try Self.executable()
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(Int(process.terminationStatus) == status, "\(arguments)")
  }

  @Test func errorsAreOneLineThatNamesFileNodeAndExpectation() throws {
    let broken = fixture("broken/pads_with_three_values.onnx")
    let result = try sepal("inspect", broken)
    #expect(result.status == 65)
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("error: \(broken): node '"), "\(result.errors)")
    #expect(result.errors.contains("'pads' has 3 values, expected 4"), "\(result.errors)")
    #expect(result.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func imagesAreInputsByANamedRecipe() throws {
    let model = fixture("digits/digits.onnx")
    let image = fixture("images/gray.png")
    let run = try sepal("run", model, "--input", image, "--preprocess", "unit", "--top", "1")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("logits: float32 1×10\n"), "\(run.output)")
    let unsaid = try sepal("run", model, "--input", image)
    #expect(unsaid.status == 64)
    for recipe in ["torchvision", "tf", "unit", "raw"] {
      #expect(unsaid.errors.contains("\n  \(recipe): "), "\(unsaid.errors)")
    }
    let unsuitable = try sepal("run", model, "--input", image, "--preprocess", "torchvision")
    #expect(unsuitable.status == 65)
    #expect(unsuitable.errors.contains("gray.png: input 'image': "), "\(unsuitable.errors)")
    let printed = try sepal(
      "run", model, "--input", "image=\(fixture("images/cmyk.jpg"))", "--preprocess", "unit")
    #expect(printed.status == 65)
  }

  @Test func unknownPassesAndOutputsAreUsageErrors() throws {
    let model = fixture("digits/digits.onnx")
    let pass = try sepal("convert", model, "-o", scratch("x.sepal"), "--disable-pass", "nonsense")
    #expect(pass.status == 64)
    #expect(pass.errors.contains("fold-batch-norm-into-conv"), "\(pass.errors)")
    #expect(try sepal("convert", model, "-o", scratch("x.tflite")).status == 64)
    #expect(try sepal("run", model, "--input", "nonsense=\(fixture("digits/one_image.npy"))").status == 64)
    #expect(try sepal("run", model, "--input", "image=\(fixture("digits/labels.npy"))").status == 65)
  }

  @Test func anythingThatIsNoModelIsRefused() throws {
    for (name, bytes) in [("empty", Data()), ("text", Data("hello".utf8)), ("zeros", Data(count: 4096))] {
      let path = scratch(name)
      try bytes.write(to: URL(fileURLWithPath: path))
      let result = try sepal("inspect", path)
      #expect(result.status == 65, "\(name): \(result.errors)")
      #expect(result.errors.hasPrefix("error: \(path)"), "\(result.errors)")
    }
    #expect(try sepal("inspect", folder.path).status == 74)
  }

  @Test func convertWritesONNX() throws {
    let (source, model) = (fixture("digits/digits.onnx"), scratch("digits.out.onnx"))
    for options in [[], ["--opset", "13"], ["--opset", "28", "--external-data"]] {
      let converted = try sepal(["convert", source, "-o", model, "--json"] + options)
      #expect(converted.status == 0, "\(converted.errors)")
      #expect(try sepal("diff", source, model).status == 0)
      #expect(try sepal("validate", source, model).status == 0)
    }
    #expect(FileManager.default.fileExists(atPath: model + ".data"))
    for options in [["--precision", "f16"], ["--storage", "compact"], ["--opset", "12"], ["--strip"]] {
      #expect(try sepal(["convert", source, "-o", model] + options).status == 64)
    }
    #expect(try sepal("convert", source, "-o", scratch("digits.sepal"), "--opset", "17").status == 64)
  }

  @Test func stopAfterAndDisablePassLeaveRewritesOut() throws {
    let model = fixture("digits/digits.onnx")
    func rewrites(_ arguments: String...) throws -> Int {
      let process = try sepal(
        "convert", model, "-o", scratch("x.sepal"), "--json", arguments[0], arguments[1])
      let passes = try #require(try process.json()["passes"] as? [[String: Any]])
      return passes.reduce(0) { $0 + ($1["rewrites"] as? Int ?? 0) }
    }
    #expect(try rewrites("--stop-after", "5") == 5)
    #expect(try rewrites("--stop-after", "0") == 0)
    let explained = try sepal(
      "convert", model, "-o", scratch("x.sepal"), "--explain", "--disable-pass", "fold-batch-norm-into-conv")
    #expect(!explained.output.contains("fold-batch-norm-into-conv:"))
    #expect(explained.output.contains("[exact]"))
  }
}
