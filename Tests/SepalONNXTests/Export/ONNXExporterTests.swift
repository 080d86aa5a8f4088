import Foundation
import SepalGraph
import SepalONNX
import SepalTensor
import Testing

/// What is written and read again computes the same.
@Suite struct ONNXExporterTests {
  static let opsets = [13, 17, 28]

  private func scratch(_ suffix: String = ".onnx") -> String {
    NSTemporaryDirectory() + "sepal-export-\(UUID().uuidString)\(suffix)"
  }

  private func exported(_ graph: Graph, opset: Int, external: Bool = false) throws -> ImportedModel {
    let path = scratch()
    defer {
      try? FileManager.default.removeItem(atPath: path)
      try? FileManager.default.removeItem(atPath: path + ".data")
    }
    var options = ONNXExporter.Options()
    options.opset = opset
    options.usesExternalData = external
    let written = try ONNXExporter(options).write(graph, to: path)
    #expect(FileManager.default.fileExists(atPath: path + ".data") == external)
    let imported = try ONNXImporter().load(path: path)
    #expect(written.byteCount > 0)
    return imported
  }

  /// Numbers that are never whole or equal; indices 0 and 1; booleans.
  private func numbers(_ type: TensorType, seed: Int) -> Tensor {
    let values = (0..<type.count).map { index in
      let phase = Double(index) * 0.7548776662 + Double(seed) * 0.5698402910
      return 1.9 * (phase - phase.rounded(.down)) - 0.9
    }
    if type.element == .bool || type.element.isInteger {
      return Tensor(type.element, type.shape, doubles: values.map { $0 > 0 ? 1 : 0 })
    }
    return Tensor(type.element, type.shape, doubles: values)
  }

  /// Operands that the schema calls parameters are constants or, `asInputs`, inputs as all others.
  private func graph(_ example: ExportExample, asInputs: Bool) throws -> (Graph, [String: Tensor]) {
    var graph = Graph(name: "example")
    var feeds: [String: Tensor] = [:]
    var operands: [ValueID?] = []
    let schema = Swift.type(of: example.op).schema
    for (index, type) in example.inputs.enumerated() {
      guard let type else {
        operands.append(nil)
        continue
      }
      var tensor = numbers(type, seed: index)
      // A variance, a divisor or a base of a power that is positive.
      if schema.input(at: index)?.name == "variance" || example.op is Pow || example.op is Div {
        tensor = Tensor(type.element, type.shape, doubles: tensor.doubles().map { abs($0) + 0.5 })
      }
      if !asInputs && schema.input(at: index)?.isParameter == true {
        operands.append(graph.addConstant("c\(index)", tensor))
      } else {
        operands.append(graph.addInput("x\(index)", type))
        feeds["x\(index)"] = tensor
      }
    }
    for (index, output) in try graph.add(example.op, name: "node", inputs: operands).enumerated() {
      graph.addOutput("y\(index)", output)
    }
    try graph.verify()
    return (graph, feeds)
  }

  @Test func everyOperatorHasARule() {
    #expect(ONNXExporter.operators == Set(OperatorRegistry.all.map { $0.schema.name }))
  }

  @Test(arguments: ExportExample.all, opsets) func operatorsSurviveTheRoundTrip(
    _ example: ExportExample, opset: Int
  ) throws {
    // Before opset 14 Reshape cannot name an extent of zero.
    if opset < 14, let reshape = example.op as? Reshape, reshape.shape.contains(0) { return }
    for asInputs in [false, true] {
      let (graph, feeds) = try graph(example, asInputs: asInputs)
      let copy = try exported(graph, opset: opset).graph
      #expect(copy.inputs.map { copy.value($0).name } == graph.inputs.map { graph.value($0).name })
      #expect(copy.outputs.map(\.name) == graph.outputs.map(\.name))
      let (wanted, found) = (try graph.evaluate(feeds), try copy.evaluate(feeds))
      for (name, tensor) in wanted {
        let difference = try #require(found[name]).difference(from: tensor, tolerance: 1e-5)
        #expect(difference == nil, "\(example), opset \(opset), \(name) \(difference ?? "")")
      }
    }
  }

  @Test func whatAnOperatorSetCannotSayIsNamed() throws {
    let image = TensorType(.float32, [1, 2, 6, 6])
    let refused: [(any Operator, Int, String)] = [
      (AveragePool(kernel: [2, 2], dilations: [2, 2]), 17, "dilations"),
      (Pad(begins: [0, 0, 1, 1], ends: [0, 0, 0, 0], mode: .wrap, value: 0), 17, "wraps"),
      (
        Resize(sizes: [1, 2, 9, 6], scales: [1, 1, 1.5, 1], mode: .linear, coordinates: .pixelCenter), 28,
        "pixel_center"
      ),
      (Relu(), 12, "opset"), (Relu(), ONNXImporter.newestOpset + 1, "opset"),
    ]
    for (op, opset, word) in refused {
      let (graph, _) = try graph(ExportExample(op: op, inputs: [image]), asInputs: true)
      let error = #expect(throws: ONNXError.self) { try exported(graph, opset: opset) }
      #expect(error?.code == .unsupported)
      #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }
  }

  @Test func refusedModelsLeaveTheOldFileAlone() throws {
    let path = scratch()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("old".utf8).write(to: URL(fileURLWithPath: path))
    let image = TensorType(.float32, [1, 2, 6, 6])
    let pad = Pad(begins: [0, 0, 1, 1], ends: [0, 0, 0, 0], mode: .wrap, value: 0)
    let (graph, _) = try graph(ExportExample(op: pad, inputs: [image]), asInputs: true)
    #expect(throws: ONNXError.self) { try ONNXExporter().write(graph, to: path) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
  }

  @Test func weightsGoBesideTheModelOnRequest() throws {
    var graph = Graph(name: "external")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 4, 4]))
    let weight = numbers(TensorType(.float32, [64, 8, 3, 3]), seed: 1)
    let y = try graph.add(Conv(), name: "conv", inputs: [x, graph.addConstant("w", weight)])
    graph.addOutput("y", y[0])
    let copy = try exported(graph, opset: 17, external: true).graph
    let feeds = ["x": numbers(TensorType(.float32, [1, 8, 4, 4]), seed: 0)]
    let (wanted, found) = (try graph.evaluate(feeds)["y"], try copy.evaluate(feeds)["y"])
    #expect(try #require(found).isIdentical(to: try #require(wanted)))
  }

  @Test func weightsThatOneFileCannotHoldGoBesideTheModel() throws {
    var graph = Graph(name: "large")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 4, 4]))
    let weight = numbers(TensorType(.float32, [64, 8, 3, 3]), seed: 1)
    let y = try graph.add(Conv(), name: "conv", inputs: [x, graph.addConstant("w", weight)])
    graph.addOutput("y", y[0])
    let path = scratch()
    defer { for file in [path, path + ".data"] { try? FileManager.default.removeItem(atPath: file) } }
    var options = ONNXExporter.Options()
    let inside = try ONNXExporter(options).write(graph, to: path)
    #expect(inside.weightsPath == nil)
    // As large as it is, and one byte less.
    options.messageLimit = inside.byteCount
    #expect(try ONNXExporter(options).write(graph, to: path).weightsPath == nil)
    options.messageLimit -= 1
    let beside = try ONNXExporter(options).write(graph, to: path)
    #expect(beside.weightsPath == path + ".data")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count < 1024)
    let copy = try ONNXImporter().load(path: path).graph
    let feeds = ["x": numbers(TensorType(.float32, [1, 8, 4, 4]), seed: 0)]
    #expect(
      try #require(copy.evaluate(feeds)["y"]).isIdentical(to: try #require(graph.evaluate(feeds)["y"])))

    options.messageLimit = 64
    let other = scratch()
    let error = #expect(throws: ONNXError.self) { try ONNXExporter(options).write(graph, to: other) }
    #expect(error?.code == .unsupported)
    for file in [other, other + ".data"] { #expect(!FileManager.default.fileExists(atPath: file)) }
  }

  /// Sizes by one scale for all axes, rounded: from opset 18 on, and of the nearest elements always.
  @Test func sizesThatKeepTheAspectRatioAreWritten() throws {
    for (sizes, scale) in [([1, 2, 5, 8], 8.0 / 6), ([1, 2, 7, 11], 7.0 / 4)] {
      for mode in [ResizeMode.linear, .nearest] {
        var graph = Graph(name: "resize")
        let x = graph.addInput("x", TensorType(.float32, [1, 2, 4, 6]))
        let op = Resize(sizes: sizes, scales: [1, 1, scale, scale], mode: mode, coordinates: .halfPixel)
        graph.addOutput("y", try graph.add(op, name: "resize", inputs: [x])[0])
        let copy = try exported(graph, opset: 18).graph
        #expect(copy.nodes.first?.op(as: Resize.self)?.scales == op.scales)
        #expect(copy.nodes.first?.op(as: Resize.self)?.sizes == op.sizes)
        let feeds = ["x": numbers(TensorType(.float32, [1, 2, 4, 6]), seed: 0)]
        let wanted = try #require(graph.evaluate(feeds)["y"])
        #expect(try #require(copy.evaluate(feeds)["y"]).isIdentical(to: wanted))
        if mode == .nearest {
          let old = try exported(graph, opset: 17).graph
          #expect(try #require(old.evaluate(feeds)["y"]).isIdentical(to: wanted))
        } else {
          let error = #expect(throws: ONNXError.self) { try exported(graph, opset: 17) }
          #expect(error?.description.contains("from opset 18 on") == true)
        }
      }
    }
  }

  @Test func outputsThatAreInputsConstantsOrOneAnotherKeepTheirNames() throws {
    var graph = Graph(name: "outputs")
    let x = graph.addInput("x", TensorType(.float32, [3]))
    let c = graph.addConstant("c", Tensor([2], floats: [1, 2]))
    let y = try graph.add(Relu(), name: "same", inputs: [x])[0]
    let z = try graph.add(Neg(), name: "same", inputs: [y])[0]
    for (name, value) in [("a", x), ("b", c), ("d", y), ("e", y), ("same", z)] {
      graph.addOutput(name, value)
    }
    let copy = try exported(graph, opset: 17).graph
    let feeds = ["x": Tensor([3], floats: [-1, 0, 2])]
    let (wanted, found) = (try graph.evaluate(feeds), try copy.evaluate(feeds))
    #expect(copy.outputs.map(\.name) == ["a", "b", "d", "e", "same"])
    for (name, tensor) in wanted { #expect(found[name]?.isIdentical(to: tensor) == true, "\(name)") }
  }
}
