import SepalGraph
import SepalTensor
import SepalValidation
import Testing

/// Inputs and outputs of two models are brought together by name, or else by type and order, and their axes aligned.
struct PortMatchingTests {
  /// An image, a convolution, and its mean over all pixels, with names and layout of choice.
  private func network(
    input: String = "x", output: String = "y", layout: Layout = .channelsFirst, keepDims: Bool = false
  ) throws -> Graph {
    var graph = Graph(name: "net")
    let shape = layout == .channelsFirst ? [1, 3, 8, 6] : [1, 8, 6, 3]
    var generator = InputGenerator(seed: 5)
    let x = graph.addInput(input, TensorType(.float32, shape))
    let weight = graph.addConstant("w", generator.tensor(TensorType(.float32, [4, 3, 3, 3])))
    let y = try graph.add(Conv(layout: layout, activation: .relu), name: "conv", inputs: [x, weight])
    let pooled = try graph.add(
      GlobalAveragePool(layout: layout, keepDims: keepDims), name: "pool", inputs: [y[0]])
    graph.addOutput(output, pooled[0])
    return graph
  }

  private func validate(_ original: Graph, _ converted: Graph) throws -> (ValidationReport, [String]) {
    let validator = try Validator(original: original, converted: converted)
    return (try validator.run(), validator.notes)
  }

  @Test func namesThatAreTheSameNeedNoNote() throws {
    let (report, notes) = try validate(try network(), try network())
    #expect(report.isEquivalent)
    #expect(notes.isEmpty)
  }

  @Test func otherNamesAreMatchedByTypeAndOrder() throws {
    let (report, notes) = try validate(try network(), try network(input: "image", output: "scores"))
    #expect(report.isEquivalent)
    #expect(
      notes == [
        "input 'x' is compared with 'image': by type and order",
        "output 'y' is compared with 'scores': by type and order",
      ])
  }

  @Test(arguments: [(Layout.channelsFirst, Layout.channelsLast), (.channelsLast, .channelsFirst)])
  func layoutsAreAligned(first: Layout, second: Layout) throws {
    let (report, notes) = try validate(
      try network(layout: first, keepDims: true), try network(layout: second))
    #expect(report.isEquivalent)
    #expect(notes.count == 2)
    #expect(notes.first?.contains("input 'x' is float32[") == true, "\(notes)")
    #expect(notes.first?.contains("transposed by") == true, "\(notes)")
    #expect(notes.last?.contains("reshaped") == true, "\(notes)")
  }

  @Test func alignedInputsStillShowMistakes() throws {
    var wrong = try network(layout: .channelsLast)
    let weight = try #require(wrong.values.first { $0.isConstant })
    var elements = try #require(weight.constant).doubles()
    elements[7] *= 1.01
    wrong.replaceElements(of: weight.id, by: Tensor(.float32, weight.type.shape, doubles: elements))
    #expect(!(try validate(try network(), wrong).0.isEquivalent))
  }

  @Test func portsWithoutCounterpartAreRefused() throws {
    var other = Graph(name: "other")
    other.addOutput("y", other.addInput("x", TensorType(.float32, [1, 3, 8, 7])))
    let error = #expect(throws: ComparisonError.self) {
      try Validator(original: try network(), converted: other)
    }
    #expect(error?.message.contains("'x'") == true)
    other.addInput("z", TensorType(.float32, [1]))
    let count = #expect(throws: ComparisonError.self) {
      try Validator(original: try network(), converted: other)
    }
    #expect(count?.message.contains("1 input ('x' float32[1x3x8x6]), the converted model 2") == true)
  }
}
