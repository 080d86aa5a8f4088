import Foundation
import SepalGraph
import SepalKeras
import SepalTensor
import Testing

/// What layers refuse, and what the error says.
struct LayerRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var className: String
    /// JSON.
    var config: String
    var inputs: [[Int]]
    var words: [String]
    var testDescription: String { "\(className) \(config)" }

    init(_ className: String, _ config: String = "{}", _ inputs: [Int]..., words: String...) {
      self.className = className
      self.config = config
      self.inputs = inputs
      self.words = words
    }
  }

  @Test(arguments: [
    Case("MaxPooling2D", #"{"pool_size": [9, 9]}"#, [1, 4, 4, 2], words: "'y'", "9"),
    Case("MaxPooling2D", #"{"pool_size": [0, 2]}"#, [1, 4, 4, 2], words: "pool_size", "positive"),
    Case("MaxPooling2D", #"{"padding": "reflect"}"#, [1, 4, 4, 2], words: "padding", "reflect"),
    Case("MaxPooling1D", "{}", [1, 4, 4, 2], words: "rank 3"),
    Case("ZeroPadding2D", #"{"padding": [4611686018427387904, 0]}"#, [1, 4, 4, 2], words: "padding"),
    Case("ZeroPadding2D", #"{"padding": [-1, 0]}"#, [1, 4, 4, 2], words: "padding"),
    Case("ZeroPadding2D", #"{"padding": [1, 2, 3]}"#, [1, 4, 4, 2], words: "padding", "3 values"),
    Case("Cropping2D", #"{"cropping": [[2, 2], [0, 0]]}"#, [1, 4, 4, 2], words: "cropping", "of axis 1"),
    Case("UpSampling2D", #"{"size": 4611686018427387904}"#, [1, 4, 4, 2], words: "size"),
    Case("UpSampling2D", #"{"size": 2147483647}"#, [1, 4, 4, 2], words: "size", "too large"),
    Case("UpSampling3D", #"{"interpolation": "bilinear"}"#, [1, 2, 2, 2, 1], words: "interpolation"),
    Case("Reshape", #"{"target_shape": [3, -1]}"#, [1, 4, 4], words: "target_shape", "does not fit"),
    Case("Reshape", #"{"target_shape": [-1, -1]}"#, [1, 4, 4], words: "target_shape", "several"),
    Case("Reshape", #"{"target_shape": [4294967296, 4294967296]}"#, [1, 4, 4], words: "target_shape"),
    Case("Permute", #"{"dims": [1, 3]}"#, [1, 4, 4], words: "dims"),
    Case("RepeatVector", #"{"n": 0}"#, [1, 4], words: "'n'"),
    Case("Concatenate", "{}", [1, 2, 3], [1, 4, 3], words: "'y'"),
    Case("Concatenate", #"{"axis": 7}"#, [1, 2], [1, 2], words: "axis", "7"),
    Case("Subtract", "{}", [1, 2], [1, 2], [1, 2], words: "3 tensors", "two"),
    Case("Add", "{}", [1, 3], [1, 4], words: "broadcast"),
    Case("Dot", #"{"axes": 1}"#, [1, 3], [1, 4], words: "axes"),
    Case("Dot", #"{"axes": 0}"#, [2, 3], [2, 3], words: "axes"),
    Case("ReLU", #"{"max_value": -1}"#, [1, 3], words: "max_value", "negative"),
    Case("ReLU", #"{"threshold": "high"}"#, [1, 3], words: "threshold", "a string"),
    Case("Softmax", #"{"axis": [1, -1]}"#, [1, 3], words: "axis", "twice"),
    Case("LayerNormalization", #"{"rms_scaling": true}"#, [1, 3], words: "rms_scaling"),
    Case("GroupNormalization", #"{"groups": 2}"#, [1, 4, 3], words: "groups", "3 channels"),
    Case("Resizing", #"{"height": 4, "width": 4, "interpolation": "magic"}"#, [1, 4, 4, 1], words: "magic"),
    Case("Resizing", #"{"height": 2147483647, "width": 4}"#, [1, 4, 4, 1], words: "'y'"),
    Case(
      "Resizing", #"{"height": 1073741824, "width": 4, "interpolation": "lanczos3"}"#, [1, 4, 4, 1],
      words: "too many"),
    Case("Rescaling", #"{"scale": 2, "dtype": "uint8"}"#, [1, 3], words: "uint8"),
    Case("RandomCrop", #"{"height": 2, "width": 2}"#, [1, 4, 4, 1], words: "Keras 3"),
    Case("AutoContrast", "{}", [1, 4, 4, 3], words: "AutoContrast"),
    Case(
      "Conv2D", #"{"filters": 2, "kernel_size": 3}"#, [1, 8, 8, 2], words: "'kernel' [3, 3, 2, 2]",
      "--weights"),
    Case("Conv2D", #"{"filters": 3, "kernel_size": 3, "groups": 2}"#, [1, 8, 8, 2], words: "groups"),
    Case("Conv2D", #"{"kernel_size": 3}"#, [1, 8, 8, 2], words: "filters", "missing"),
    Case("DepthwiseConv2D", #"{"kernel_size": 3, "groups": 2}"#, [1, 8, 8, 2], words: "groups"),
    Case(
      "DepthwiseConv2D", #"{"kernel_size": 3, "depth_multiplier": 2147483647}"#, [1, 8, 8, 2],
      words: "depth_multiplier"),
    Case(
      "Conv2DTranspose", #"{"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 2}"#,
      [1, 8, 8, 2],
      words: "output_padding"),
    Case(
      "Conv1D",
      #"{"filters": 2, "kernel_size": 2147483647, "dilation_rate": 2147483647, "padding": "causal"}"#,
      [1, 8, 2], words: "dilation_rate"),
    Case(
      "Dropout", #"{"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}}"#, [1, 3],
      words: "dtype", "quantised"),
    Case("Dropout", #"{"dtype": "int8_from_float32"}"#, [1, 3], words: "dtype", "quantised"),
    Case("Dropout", #"{"dtype": "posit16"}"#, [1, 3], words: "dtype", "posit16"),
  ])
  func errorsNameWhatIsWrong(refused: Case) throws {
    let config = try JSONSerialization.jsonObject(with: Data(refused.config.utf8))
    let model = ModelBuilder.model(
      of: refused.className, try #require(config as? [String: Any]), inputs: refused.inputs)
    let error = try #require(try ModelBuilder.error(model), "was imported")
    for word in refused.words { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func argumentsThatNoRuleReadsAreRefused() throws {
    let model = ModelBuilder.model(
      of: "Softmax", inputs: [[1, 3]], arguments: ["mask": [true, false, true]])
    #expect(try ModelBuilder.error(model)?.description.contains("called with 'mask'") == true)
  }

  @Test func trainingAtInferenceIsRefused() throws {
    let model = ModelBuilder.model(of: "Dropout", inputs: [[1, 3]], arguments: ["training": true])
    #expect(try ModelBuilder.error(model)?.description.contains("training=True") == true)
  }

  /// Keras writes the default of its image layers into every call of them.
  @Test func trainingMeansNothingToImageLayersOfKeras3() throws {
    let model = ModelBuilder.model(of: "RandomFlip", inputs: [[1, 4, 4, 3]], arguments: ["training": true])
    #expect(try ModelBuilder.error(model) == nil)
  }

  @Test func aMaskIsNotTakenForRealSteps() throws {
    let layers =
      [("Masking", [:]), ("Dropout", ["rate": 0.5]), ("Softmax", [:])] as [(String, [String: Any])]
    let error = try #require(try ModelBuilder.error(ModelBuilder.chain(layers, input: [1, 4, 3])))
    #expect(error.description.contains("'layer0' masks"), "\(error)")
  }

  @Test(arguments: ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
  func lowerPrecisionIsNotedOnce(policy: String) throws {
    let layers = [("ReLU", ["dtype": policy]), ("ReLU", ["dtype": policy])] as [(String, [String: Any])]
    let notes = try ModelBuilder.load(ModelBuilder.chain(layers, input: [1, 3])).notes
    #expect(notes.filter { $0.contains(policy) && $0.contains("'layer0'") }.count == 1, "\(notes)")
    #expect(notes.count == 1, "\(notes)")
  }

  @Test func weightsOfAnotherShapeAreRefusedByLayerAndBothShapes() throws {
    let model = try #require(LayerFixtureTests.models.first { $0.name == "conv1d.k3" })
    let data = try JSONSerialization.data(withJSONObject: try model.architecture(), options: .sortedKeys)
    let text = String(decoding: data, as: UTF8.self)
    let changed = text.replacingOccurrences(of: #""filters":3"#, with: #""filters":5"#)
    #expect(changed != text)
    let json = try JSONSerialization.jsonObject(with: Data(changed.utf8))
    let shapes = try model.arrays(in: "keras_layers").inputs.mapValues(\.shape)
    try model.withWeights { weights in
      let error = try #require(try ModelBuilder.error(json, weights: weights, shapes: shapes))
      #expect(error.description.contains("'kernel' is [3, 4, 3] in the file, expected [3, 4, 5]"), "\(error)")
      #expect(error.layer == "valid")
      #expect(error.className == "Conv1D")
    }
  }

  @Test func kernelsOfTheTheanoBackendAreRefused() throws {
    let isHDF5 = { (model: RecordedModel) in model.keras == 2 && model.file.hasSuffix(".h5") }
    let model = try #require(
      LayerFixtureTests.models.first { isHDF5($0) && $0.name.hasPrefix("conv") && $0.expect == .match })
    var data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("keras_layers/\(model.file)")))
    var count = 0
    while let range = data.range(of: Data("tensorflow".utf8)) {
      data.replaceSubrange(range, with: Data("theano\0\0\0\0".utf8))
      count += 1
    }
    #expect(count > 0)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("sepal-\(UUID().uuidString).h5")
    try data.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let shapes = try model.arrays(in: "keras_layers").inputs.mapValues(\.shape)
    #expect {
      try KerasImporter(.init(shapes: shapes)).load(path: file.path)
    } throws: { error in
      "\(error)".contains("Theano")
    }
  }
}
