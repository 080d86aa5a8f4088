import SepalGraph
import SepalONNX
import SepalTensor
import Testing

/// What RNN, GRU and LSTM refuse, on two steps of one sample of three numbers.
@Suite struct RecurrentRuleTests {
  private static func tensor(_ shape: Int...) -> Tensor {
    Tensor(shape, floats: [Float](repeating: 0.5, count: shape.reduce(1, *)))
  }

  /// A state of two numbers.
  private static func node(_ opType: String, _ attributes: Wire, words: [String]) -> RuleTests.Case {
    let rows = opType == "RNN" ? 2 : opType == "GRU" ? 6 : 8
    return RuleTests.Case(
      opType: opType, x: [2, 1, 3], operands: [tensor(1, rows, 3), tensor(1, rows, 2)],
      attributes: [attributes], words: words)
  }

  private static func node(_ opType: String, _ operands: Tensor?..., words: [String] = []) -> RuleTests.Case {
    RuleTests.Case(opType: opType, x: [2, 1, 3], operands: operands, words: words)
  }

  private static func strings(_ name: String, _ values: String...) -> Wire {
    values.reduce(Wire().string(1, name)) { $0.string(9, $1) }.int(20, 8)
  }

  static let refusals: [RuleTests.Case] = [
    node(
      "LSTM", tensor(1, 8, 3), tensor(1, 8, 2), nil, nil, nil, nil, tensor(1, 6), words: ["'c6'", "peephole"]),
    node("LSTM", RuleTests.int("input_forget", 1), words: ["'input_forget'", "not supported"]),
    node("GRU", Wire().string(1, "clip").float(2, 3).int(20, 1), words: ["'clip'", "not supported"]),
    node(
      "RNN", tensor(1, 2, 3), tensor(1, 2, 2), nil, Tensor([1], int64s: [1]),
      words: ["'c3'", "ends sequences before step 2"]),
    node("LSTM", strings("activations", "Sigmoid", "Tanh", "Relu"), words: ["'activations'", "different"]),
    node("RNN", strings("activations", "Affine"), words: ["'activations'", "'Affine'"]),
    node("GRU", strings("activations", "Tanh"), words: ["'activations'", "1 values, expected 2"]),
    node("GRU", RuleTests.text("direction", "both"), words: ["'direction'", "bidirectional"]),
    node("GRU", RuleTests.int("hidden_size", 4), words: ["'hidden_size'", "R has 2"]),
    node("GRU", RuleTests.text("direction", "bidirectional"), words: ["W [1, 6, 3]", "expected W [2,"]),
    node("RNN", tensor(1, 3, 3), tensor(1, 2, 2), words: ["W [1, 3, 3]", "R [1, 2, 2]"]),
    node("RNN", tensor(1, 2, 3), tensor(1, 2, 2), tensor(1, 2), words: ["'c2'", "'B'", "[1, 4]"]),
    node(
      "RNN", tensor(1, 2, 3), tensor(1, 2, 2), nil, nil, tensor(1, 2),
      words: ["'c4'", "'initial_h'", "[1, 1, 2]"]),
  ]

  @Test(arguments: refusals) func refusalsNameNodeAndAttribute(_ refused: RuleTests.Case) {
    let message = ONNXImporterTests.refusal(refused.model)
    #expect(message.contains("node 'n' (\(refused.opType), opset \(refused.opset))"))
    for word in refused.words { #expect(message.contains(word), "\(message)") }
  }

  @Test func sequenceLengthsOfAllStepsAreNone() throws {
    let lengths = Tensor([1], int64s: [2])
    let whole = Self.node("RNN", Self.tensor(1, 2, 3), Self.tensor(1, 2, 2), nil, lengths)
    let graph = try ONNXImporterTests.load(whole.model).graph
    #expect(graph.nodes.map(\.op.name).contains("SimpleRNN"))
  }
}
