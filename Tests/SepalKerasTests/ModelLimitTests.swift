import SepalGraph
import SepalKeras
import Testing

/// Models that are small in the file and large in any other way: they are read in a time that the file justifies, or
/// refused.
struct ModelLimitTests {
  private func load(_ text: String) throws(KerasError) -> ImportedModel {
    try KerasImporter().load(Array(text.utf8).storage)
  }

  private func input(_ name: String) -> String {
    #"{"class_name":"InputLayer","name":"\#(name)","config":{"batch_shape":[1,2],"dtype":"float32"},"inbound_nodes":[]}"#
  }

  private func tensor(_ layer: String, _ node: Int = 0) -> String {
    #"{"class_name":"__keras_tensor__","config":{"keras_history":["\#(layer)",\#(node),0]}}"#
  }

  private func call(_ operands: String...) -> String {
    #"{"args":[\#(operands.joined(separator: ","))],"kwargs":{}}"#
  }

  private func layer(_ className: String, _ name: String, _ calls: [String], config: String = "") -> String {
    #"{"class_name":"\#(className)","name":"\#(name)","config":{"trainable":true\#(config)},"#
      + #""inbound_nodes":[\#(calls.joined(separator: ","))]}"#
  }

  private func model(_ layers: [String], inputs: [String], outputs: [String]) -> String {
    func references(_ names: [String]) -> String { names.map { #"["\#($0)",0,0]"# }.joined(separator: ",") }
    return #"{"class_name":"Functional","config":{"name":"m","layers":[\#(layers.joined(separator: ","))],"#
      + #""input_layers":[\#(references(inputs))],"output_layers":[\#(references(outputs))]}}"#
  }

  /// Each model calls the one inside it eight times.
  private func nested(depth: Int) -> String {
    var text = model([input("x"), layer("ReLU", "y", [call(tensor("x"))])], inputs: ["x"], outputs: ["y"])
    for _ in 0..<depth {
      let calls = (0..<8).map { call($0 == 0 ? tensor("x") : tensor("inner", $0 - 1)) }
      let inner = text.dropLast() + #","name":"inner","inbound_nodes":[\#(calls.joined(separator: ","))]}"#
      text = model(
        [input("x"), String(inner), layer("ReLU", "y", [call(tensor("inner", 7))])], inputs: ["x"],
        outputs: ["y"])
    }
    return text
  }

  @Test func modelsAreNestedAndCalledManyTimes() throws {
    #expect(
      try load(nested(depth: 3)).graph.nodes.count { $0.op.name == "Relu" } == 8 * 8 * 8 + 8 * 8 + 8 + 1)
  }

  @Test(.timeLimit(.minutes(1))) func modelsThatMultiplyWithoutEndAreRefused() {
    let error = #expect(throws: KerasError.self) { try load(nested(depth: 16)) }
    #expect(error?.code == .limit, "\(error?.description ?? "")")
  }

  @Test(.timeLimit(.minutes(1))) func longChainsAreRead() throws {
    let count = 20_000
    let layers = (0..<count).map { layer("ReLU", "l\($0)", [call(tensor($0 == 0 ? "x" : "l\($0 - 1)"))]) }
    let imported = try load(model([input("x")] + layers, inputs: ["x"], outputs: ["l\(count - 1)"]))
    #expect(imported.graph.nodeCount == count)
  }

  @Test(.timeLimit(.minutes(1))) func manyInputsAndOutputsAreRead() throws {
    let names = (0..<20_000).map { "x\($0)" }
    let imported = try load(model(names.map(input), inputs: names, outputs: names + names))
    #expect(imported.graph.inputs.count == names.count)
    let outputs = Set(imported.graph.outputs.map { $0.name })
    #expect(outputs.count == 2 * names.count)
  }

  @Test(.timeLimit(.minutes(1))) func manyOperandsAreRead() throws {
    let names = (0..<20_000).map { "x\($0)" }
    let operands = #"{"args":[[\#(names.map { tensor($0) }.joined(separator: ","))]],"kwargs":{}}"#
    let join = layer("Concatenate", "y", [operands], config: #","axis":-1"#)
    let imported = try load(model(names.map(input) + [join], inputs: names, outputs: ["y"]))
    #expect(imported.graph.nodeCount == 1)
  }

  /// A graph states sizes, and computes nothing.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      ("RepeatVector", #","n":2147483647"#), ("UpSampling1D", #","size":2147483647"#),
      ("ZeroPadding1D", #","padding":[2147483647,2147483647]"#),
      ("Reshape", #","target_shape":[2147483647,-1]"#),
      ("Embedding", #","input_dim":2147483647,"output_dim":2147483647"#),
      ("Dense", #","units":2147483647"#), ("LSTM", #","units":2147483647"#),
      ("GRU", #","units":9223372036854775807"#), ("Resizing", #","height":2147483647,"width":2147483647"#),
    ])
  func hugeSizesCostNothing(className: String, config: String) {
    let text = model(
      [input("x"), layer(className, "y", [call(tensor("x"))], config: config)], inputs: ["x"], outputs: ["y"])
    do throws(KerasError) {
      #expect(try load(text).graph.nodeCount > 0)
    } catch {
      #expect(error.layer == "y", "\(error)")
    }
  }
}
