import SepalONNX
import SepalTensor
import Testing

@Suite struct ONNXReaderTests {
  @Test func everyPartOfAModelArrives() throws {
    let model = try Wire.sample.read()
    #expect(model.irVersion == 8)
    #expect(model.opsets == ["": 17])
    #expect(model.producer == "test")
    #expect(model.graph.name == "g")
    #expect(model.graph.nodes.map(\.opType) == ["Conv", "Relu"])
    #expect(model.graph.nodes[0].inputs == ["x", "w", ""])
    #expect(model.graph.nodes.map(\.label) == ["conv1", "#1"])
    #expect(model.graph.nodes.map(\.opset) == [17, 17])
    #expect(model.graph.initializers.map(\.name) == ["w"])
    #expect(model.graph.inputs.map(\.name) == ["x"])
    guard case .tensor(.float, let shape) = model.graph.inputs[0].kind else {
      Issue.record("\(model.graph.inputs[0])")
      return
    }
    #expect(shape == [.symbolic("N"), .fixed(2), .symbolic(nil)])
    #expect(model.graph.outputs.map(\.name) == ["z"])
  }

  @Test func rawElementsAreViewsOfTheFile() throws {
    let storage = Wire.sample.bytes.storage
    let tensor = try ONNXModel(storage, folder: nil).graph.initializers[0].tensor()
    #expect(tensor.storage === storage)
    #expect(tensor.floats() == [1, 2, 3, 4])
  }

  @Test func operatorSetsMayStandBehindTheGraphAndBothSpellingsOfTheDefaultDomainAreOne() throws {
    let sets = Wire().message(8, Wire().string(1, "ai.onnx").int(2, 11)).message(
      8, Wire().string(1, "com.example").int(2, 3))
    let nodes = [
      Wire.node("Relu"), Wire.node("Custom").string(7, "com.example"), Wire.node("X").string(7, "none"),
    ]
    let model = try Wire().int(1, 8).message(7, .graph(nodes: nodes)).raw(sets.bytes).read()
    #expect(model.opsets == ["": 11, "com.example": 3])
    #expect(model.graph.nodes.map(\.opset) == [11, 3, 0])
  }

  @Test func fieldsOutsideTheSchemaArePassedOver() throws {
    let odd = Wire().int(900, 5).double(901, 1).float(902, 1).string(903, "x")
    let node = Wire.node("Relu").raw(odd.bytes).string(6, "a documentation string")
    #expect(try Wire.model(.graph(nodes: [node]).raw(odd.bytes)).raw(odd.bytes).read().graph.nodes.count == 1)
  }

  @Test func everyKindOfValueIsRecognised() throws {
    let kinds: [(UInt64, String)] = [
      (4, "sequence"), (5, "map"), (7, "opaque"), (8, "sparse tensor"), (9, "optional"),
    ]
    for (field, expected) in kinds {
      let value = Wire().string(1, "x").message(2, Wire().message(field, Wire().message(1, Wire())))
      let kind = try Wire.model(.graph().message(11, value)).read().graph.inputs[0].kind
      guard case .other(expected) = kind else {
        Issue.record("\(kind), expected \(expected)")
        continue
      }
    }
  }

  @Test func aShapelessTensorHasUnknownRankAndMinusOneIsUnknown() throws {
    let shapeless = Wire().string(1, "x").message(2, Wire().message(1, Wire().int(1, 1)))
    let graph = Wire.graph().message(11, shapeless).message(11, .value("y", .float, [Wire().int(1, -1)]))
    let inputs = try Wire.model(graph).read().graph.inputs
    guard case .tensor(.float, nil) = inputs[0].kind, case .tensor(.float, let shape) = inputs[1].kind else {
      Issue.record("\(inputs)")
      return
    }
    #expect(shape == [.symbolic(nil)])
  }

  @Test func contradictionsAreRefused() {
    let cases: [(Wire, ONNXError.Code, String)] = [
      (Wire(), .malformed, "is empty"),
      (
        .model(.graph().message(11, .value("x", .float, [Wire().int(1, -2)]))), .invalid,
        "tensor 'x': has the dimension -2"
      ),
      (Wire().int(1, 8), .invalid, "holds no graph"),
      (Wire().message(7, .graph()).message(7, .graph()), .malformed, "two graphs"),
      (Wire.model(.graph()).message(8, Wire().int(2, 3)), .invalid, "two versions of operator set ''"),
      (Wire().message(8, Wire().int(2, 0)), .invalid, "imports version 0"),
      (
        Wire.model(.graph(nodes: [.node("F")])).message(25, Wire().string(1, "F")), .unsupported,
        "defines itself, which is not supported: '.F'"
      ),
      (
        Wire.model(.graph(nodes: [.node("A", attributes: [Wire().string(1, "a"), Wire().string(1, "a")])])),
        .invalid, "node 'n' (A, opset 17): 'a' occurs twice"
      ),
    ]
    for (wire, code, text) in cases {
      let error = wire.rejection
      #expect(error?.code == code, "\(text)")
      #expect(error?.description.contains(text) == true, "\(error.map(String.init) ?? "accepted"): \(text)")
    }
  }

  @Test func aFunctionThatNothingCallsIsHarmless() throws {
    let model = try Wire.model(.graph(nodes: [.node("Relu")])).message(25, Wire().string(1, "F")).read()
    #expect(model.graph.nodes.count == 1)
  }

  @Test func aMissingFileIsToldFromAFolder() {
    let cases = [("/no/such/model.onnx", ONNXError.Code.missingFile), ("/", .unreadable)]
    for (path, code) in cases {
      let error = #expect(throws: ONNXError.self) { try ONNXModel(contentsOf: path) }
      #expect(error?.code == code)
      #expect(error?.file == path)
    }
  }
}
