import SepalONNX
import SepalTensor
import Testing

@Suite struct ONNXAttributeTests {
  /// The one attribute, 'a', of a node, written with and without its declared type.
  private func nodes(_ fields: Wire, type: Int64) throws -> [ONNXNode] {
    try [Wire(), Wire().int(20, type), Wire().int(20, 0)].map { declared in
      let attribute = Wire().string(1, "a").raw(fields.bytes).raw(declared.bytes)
      return try Wire.model(.graph(nodes: [.node("Op", attributes: [attribute])])).read().graph.nodes[0]
    }
  }

  @Test func scalarsAreReadWithAndWithoutADeclaredType() throws {
    for node in try nodes(Wire().int(3, -5), type: 2) { #expect(try node.int("a") == -5) }
    for node in try nodes(Wire().float(2, 0.5), type: 1) { #expect(try node.float("a") == 0.5) }
    for node in try nodes(Wire().string(4, "héllo"), type: 3) { #expect(try node.string("a") == "héllo") }
  }

  @Test func listsAreReadPackedAndOneByOne() throws {
    for node in try nodes(Wire().int(8, 1).int(8, -2), type: 7) { #expect(try node.ints("a") == [1, -2]) }
    for node in try nodes(Wire().packed(8, [1, -2]), type: 7) { #expect(try node.ints("a") == [1, -2]) }
    for node in try nodes(Wire().float(7, 1).float(7, 2), type: 6) {
      #expect(try node.floats("a") == [1, 2])
    }
    for node in try nodes(Wire().data(7, Wire.littleEndian([1, 2] as [Float])), type: 6) {
      #expect(try node.floats("a") == [1, 2])
    }
    for node in try nodes(Wire().string(9, "p").string(9, ""), type: 8) {
      #expect(try node.strings("a") == ["p", ""])
    }
  }

  @Test func tensorsAreRead() throws {
    for node in try nodes(Wire().message(5, .tensor("t", .int64, [2]).packed(7, [4, 5])), type: 4) {
      #expect(try node.tensor("a")?.tensor().integers() == [4, 5])
    }
  }

  @Test func proto3WritersLeaveZeroOut() throws {
    let attributes = [
      Wire().string(1, "i").int(20, 2), Wire().string(1, "f").int(20, 1), Wire().string(1, "s").int(20, 3),
      Wire().string(1, "is").int(20, 7), Wire().string(1, "fs").int(20, 6), Wire().string(1, "none"),
    ]
    let node = try Wire.model(.graph(nodes: [.node("Op", attributes: attributes)])).read().graph.nodes[0]
    #expect(try node.int("i") == 0)
    #expect(try node.float("f") == 0)
    #expect(try node.string("s") == "")
    for name in ["is", "fs", "none"] {
      #expect(try node.ints(name) == [])
      #expect(try node.floats(name) == [])
    }
  }

  @Test func bodiesAndOddTypesAreRecognised() throws {
    let body = Wire.graph(nodes: [.node("A"), .node("B")])
    let cases: [(Wire, Int64, String)] = [
      (Wire().message(6, body), 5, "a graph"), (Wire().message(11, body), 10, "a list of graphs"),
      (Wire().message(14, Wire()), 13, "a type"), (Wire().message(15, Wire()), 14, "a list of types"),
      (Wire().message(23, Wire()), 12, "a list of sparse tensors"),
    ]
    for (fields, type, kind) in cases {
      for node in try nodes(fields, type: type) { #expect(node.attributes["a"]?.kind == kind) }
    }
    let unknown = Wire().string(1, "a").int(20, 99)
    let node = try Wire.model(.graph(nodes: [.node("Op", attributes: [unknown])])).read().graph.nodes[0]
    #expect(node.attributes["a"]?.kind == "a value of unknown type 99")
  }

  @Test func absenceGivesNilOrTheDefault() throws {
    let node = try Wire.model(.graph(nodes: [.node("Op")])).read().graph.nodes[0]
    #expect(!node.has("a"))
    #expect(try node.int("a") == nil)
    #expect(try node.int("a", default: 3) == 3)
    #expect(try node.float("a", default: 3) == 3)
    #expect(try node.string("a", default: "x") == "x")
    #expect(try node.flag("a", default: true))
    #expect(try node.ints("a", count: 4) == nil)
  }

  @Test func errorsNameNodeAndAttributeAndSayWhatWasExpected() throws {
    let node = try #require(try nodes(Wire().int(8, 1).int(8, 2).int(8, 3), type: 7).first)
    let message = "node 'n' (Op, opset 17): 'a' "
    func check(_ expected: String, _ body: () throws -> Void) {
      let error = #expect(throws: ONNXError.self, "\(expected)", performing: body)
      #expect(error?.description == message + expected)
    }
    check("has 3 values, expected 4") { _ = try node.ints("a", count: 4) }
    check("is a list of ints, expected an int") { _ = try node.int("a") }
    check("is a list of ints, expected a float") { _ = try node.float("a") }
    check("is a list of ints, expected a string") { _ = try node.string("a") }
    check("is a list of ints, expected a tensor") { _ = try node.tensor("a") }
    check("is a list of ints, expected a list of floats") { _ = try node.floats("a") }
    check("is a list of ints, expected a list of strings") { _ = try node.strings("a") }
    let text = try #require(try nodes(Wire().data(4, [0xFF]), type: 3).first)
    check("is not UTF-8 text") { _ = try text.string("a") }
    let flag = try #require(try nodes(Wire().int(3, 2), type: 2).first)
    check("is 2, expected 0 or 1") { _ = try flag.flag("a", default: false) }
    #expect(throws: ONNXError.self) { try flag.required("b", flag.int("b")) }
  }
}
