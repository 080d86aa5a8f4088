import SepalGraph
import SepalONNX
import SepalTensor
import Testing

/// What single rules refuse, and versions that no recorded model covers.
@Suite struct RuleTests {
  /// One node under test, between an input `x` and an output `y`.
  struct Case: Sendable, CustomTestStringConvertible {
    var opType: String
    var x: [Int64] = [1, 2, 4, 4]
    /// Operands after x; nil is left out.
    var operands: [Tensor?] = []
    var attributes: [Wire] = []
    var outputs = ["y"]
    var opset: Int64 = 17
    /// Words of the error.
    var words: [String] = []

    var testDescription: String { "\(opType)-\(opset) \(words)" }

    var model: Wire {
      let names = operands.indices.map { operands[$0] == nil ? "" : "c\($0)" }
      let node = Wire.node(
        opType, inputs: ["x"] + names, outputs: outputs, attributes: attributes)
      let initializers = zip(names, operands).compactMap { name, tensor in
        tensor.map { tensor in
          Wire.tensor(name, ONNXDataType(tensor.element), tensor.shape.map { Int64($0) })
            .data(9, tensor.withUnsafeBytes { Array($0) })
        }
      }
      return ONNXImporterTests.model(
        [node], x: x.map { Wire().int(1, $0) }, initializers: initializers, outputs: outputs, opset: opset)
    }
  }

  static func int(_ name: String, _ value: Int64) -> Wire { Wire().string(1, name).int(3, value).int(20, 2) }
  static func ints(_ name: String, _ values: [Int64]) -> Wire {
    values.reduce(Wire().string(1, name)) { $0.int(8, $1) }.int(20, 7)
  }
  static func floats(_ name: String, _ values: [Float]) -> Wire {
    values.reduce(Wire().string(1, name)) { $0.float(7, $1) }.int(20, 6)
  }
  static func text(_ name: String, _ value: String) -> Wire {
    Wire().string(1, name).string(4, value).int(20, 3)
  }
  static func integers(_ values: Int64...) -> Tensor { Tensor([values.count], int64s: values) }
  static let weight = Tensor([3, 2, 3, 3], floats: [Float](repeating: 1, count: 54))
  static let vector = Tensor([2], floats: [1, 2])

  static let refusals: [Case] = [
    Case(
      opType: "Conv", operands: [weight], attributes: [text("auto_pad", "SAME")],
      words: ["'auto_pad'", "SAME_UPPER"]),
    Case(
      opType: "Conv", operands: [weight], attributes: [ints("dilations", [0, 1])],
      words: ["'dilations'", "from 1"]),
    Case(opType: "Conv", x: [1, 2], operands: [weight], words: ["rank 2"]),
    Case(
      opType: "ConvTranspose", operands: [weight], attributes: [ints("output_shape", [0, 9])],
      words: ["'output_shape'"]),
    Case(opType: "MaxPool", words: ["'kernel_shape'", "missing"]),
    Case(
      opType: "BatchNormalization", operands: [vector, vector, vector, vector],
      attributes: [int("training_mode", 1)],
      words: ["'training_mode'", "inference"]),
    Case(
      opType: "BatchNormalization", operands: [vector, vector, vector, vector],
      attributes: [int("spatial", 0)],
      opset: 7, words: ["'spatial'", "one position"]),
    Case(
      opType: "GroupNormalization", operands: [vector, vector], attributes: [int("num_groups", 3)], opset: 18,
      words: ["'num_groups'", "divisor"]),
    Case(opType: "Dropout", operands: [nil, Tensor([], bools: [true])], words: ["'c1'", "inference"]),
    Case(
      opType: "Gelu", attributes: [text("approximate", "erf")], opset: 20,
      words: ["'approximate'", "none, tanh"]),
    Case(opType: "Cast", words: ["'to'", "missing"]),
    Case(opType: "Cast", attributes: [int("to", 8)], words: ["'to'", "string"]),
    Case(opType: "Reshape", operands: [integers(5, -1)], words: ["[5, -1]"]),
    Case(opType: "Reshape", operands: [integers(-1, -1)], words: ["[-1, -1]"]),
    Case(opType: "Reshape", operands: [integers(1, 2, 4, 4, 0)], words: ["cannot be brought"]),
    Case(opType: "Reshape", operands: [vector], words: ["list of integers"]),
    Case(opType: "Flatten", attributes: [int("axis", 5)], words: ["'axis'", "−4 to 4"]),
    Case(opType: "Squeeze", operands: [integers(1)], words: ["'axes'", "extent 1"]),
    Case(opType: "Unsqueeze", operands: [integers(1, 1)], words: ["'axes'", "twice"]),
    Case(opType: "Unsqueeze", words: ["'axes'", "missing"]),
    Case(opType: "Transpose", attributes: [ints("perm", [0, 1, 1, 2])], words: ["'perm'", "each of 4"]),
    Case(opType: "Concat", words: ["'axis'", "missing"]),
    Case(opType: "Expand", operands: [integers(3)], words: ["does not broadcast"]),
    Case(opType: "Tile", operands: [integers(1, 2)], words: ["4 counts"]),
    Case(
      opType: "Slice", operands: [integers(0), integers(2), integers(0), integers(0)], words: ["'steps'"]),
    Case(
      opType: "Split", operands: [integers(4)], attributes: [int("axis", 2)], outputs: ["y", "z"],
      words: ["'split'", "1 sizes"]),
    Case(
      opType: "Split", attributes: [int("axis", 1)], outputs: ["y", "z", "u"],
      words: ["does not split into 3"]),
    Case(
      opType: "Split", attributes: [int("num_outputs", 3)], outputs: ["y", "z"], opset: 18,
      words: ["'num_outputs'"]),
    Case(opType: "Pad", operands: [integers(1, 1)], words: ["'pads'", "expected 8"]),
    Case(opType: "Pad", operands: [integers(0, 0, 0, 0, 0, 0, 0, 1 << 40)], words: ["'pads'", "too large"]),
    Case(
      opType: "Pad", operands: [integers(0, 0, 0, 0, 0, 0, 0, 0)], attributes: [text("mode", "mirror")],
      words: ["'mode'", "reflect"]),
    Case(
      opType: "Gather", operands: [integers(0)], attributes: [int("axis", 4)], words: ["'axis'", "rank 4"]),
    Case(opType: "TopK", words: ["'k'", "missing"]),
    Case(opType: "CumSum", words: ["'axis'", "missing"]),
    Case(opType: "ReduceMean", attributes: [ints("axes", [4])], words: ["'axes'", "rank 4"]),
    Case(
      opType: "Resize", operands: [nil, Tensor([2], floats: [1, 2])], words: ["'scales'", "expected 4"]),
    Case(opType: "Resize", operands: [nil, nil, integers(1, 2, 8)], words: ["'sizes'", "4 sizes"]),
    Case(
      opType: "Resize", operands: [nil, Tensor([4], floats: [1, 1, 2, 2])],
      attributes: [text("coordinate_transformation_mode", "tf_crop_and_resize")],
      words: ["'coordinate_transformation_mode'"]),
    Case(
      opType: "Resize", operands: [nil, Tensor([4], floats: [1, 1, 2, 2])],
      attributes: [text("coordinate_transformation_mode", "pixel_center")],
      words: ["'coordinate_transformation_mode'"]),
    Case(
      opType: "Resize", operands: [nil, Tensor([4], floats: [1, 1, 0.5, 0.5])],
      attributes: [text("mode", "linear"), int("antialias", 1)], opset: 18,
      words: ["'antialias'", "downsampling"]),
    Case(
      opType: "Resize", operands: [Tensor([4], floats: [1, 1, 2, 0.5])], opset: 10,
      words: ["'scales'", "another"]),
    Case(
      opType: "Upsample", attributes: [floats("scales", [1, 1, -2, 2])], opset: 7,
      words: ["'scales'", "positive"]),
    Case(
      opType: "DepthToSpace", attributes: [int("blocksize", 2), text("mode", "ABC")],
      words: ["'mode'", "DCR, CRD"]),
    Case(opType: "LRN", words: ["'size'", "missing"]),
    Case(opType: "Relu", operands: [vector], words: ["2 inputs"]),
  ]

  @Test(arguments: refusals) func refusalsNameNodeAndAttribute(_ refused: Case) {
    let message = ONNXImporterTests.refusal(refused.model)
    #expect(message.contains("node 'n' (\(refused.opType), opset \(refused.opset))"))
    for word in refused.words { #expect(message.contains(word), "\(message)") }
  }

  @Test func perPositionStatisticsOfASinglePositionAreStatisticsPerChannel() throws {
    let column = Tensor([2, 1, 1], floats: [1, 4])
    let attributes = [Self.int("spatial", 0), Wire().string(1, "epsilon").float(2, 0).int(20, 1)]
    let normalization = Case(
      opType: "BatchNormalization", x: [1, 2, 1, 1], operands: [column, column, column, column],
      attributes: attributes, opset: 7)
    let graph = try ONNXImporterTests.load(normalization.model).graph
    let y = try graph.evaluate(["x": Tensor([1, 2, 1, 1], floats: [3, 6])])["y"]
    #expect(y?.floats() == [3, 8])
  }

  @Test func groupNormalizationOfOpset18RepeatsItsParametersPerChannel() throws {
    let normalization = Case(
      opType: "GroupNormalization", x: [1, 4, 1],
      operands: [Tensor([2], floats: [1, 10]), Tensor([2], floats: [0, 5])],
      attributes: [Self.int("num_groups", 2)], opset: 18)
    let graph = try ONNXImporterTests.load(normalization.model).graph
    let y = try #require(try graph.evaluate(["x": Tensor([1, 4, 1], floats: [-1, 1, 2, 4])])["y"])
    #expect(y.difference(from: Tensor([1, 4, 1], floats: [-1, 1, -5, 15])) == nil)
  }

  @Test func aConstantBeyondTheImportLimitStaysAnExpansion() throws {
    let fill = Case(opType: "Expand", x: [1], operands: [Self.integers(100_000)])
    #expect(try ONNXImporterTests.load(fill.model).graph.nodes.map { $0.op.name } == ["Expand"])
  }
}
