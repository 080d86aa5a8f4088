import SepalONNX
import Testing

@Suite struct ONNXErrorTests {
  @Test func theDescriptionGoesFromFileToNodeToAttribute() {
    let error = ONNXError(
      .invalid, "has 3 values, expected 4", file: "model.onnx", node: "conv1", opType: "Conv", opset: 13,
      attribute: "pads")
    #expect(error.description == "model.onnx: node 'conv1' (Conv, opset 13): 'pads' has 3 values, expected 4")
  }

  @Test func absentPartsLeaveNoTrace() {
    #expect(ONNXError(.invalid, "is empty").description == "is empty")
    #expect(ONNXError(.invalid, "is cut", file: "m", tensor: "w").description == "m: tensor 'w': is cut")
    #expect(ONNXError(.invalid, "is odd", node: "n").description == "node 'n': is odd")
  }

  @Test func namesFromTheFileCannotSpoilTheTerminalOrTheLine() {
    let error = ONNXError(.invalid, "is bad", node: "a\u{1B}[2J\nb\u{202E}c")
    #expect(error.description == #"node 'a\u{1B}[2J\nb\u{202E}c': is bad"#)
    let long = ONNXError(.invalid, "is bad", node: String(repeating: "x", count: 100_000))
    #expect(long.description.count < 500)
  }
}
