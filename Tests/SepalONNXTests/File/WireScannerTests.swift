import SepalONNX
import SepalTensor
import Testing

@Suite struct WireScannerTests {
  @Test func brokenEncodingsAreRefusedWithTheirPlace() {
    let over = [UInt8](repeating: 0xFF, count: 11)
    let cases: [(String, [UInt8])] = [
      ("a cut-off tag", [0x80]), ("field number 0", [0x00, 0x00]), ("wire type 3", [0x0B]),
      ("wire type 4", [0x0C]), ("wire type 7", [0x0F]), ("a cut-off number", [0x08]),
      ("a cut-off number", [0x08] + over), ("a cut-off tag", over), ("a cut-off length", [0x3A, 0x80]),
      ("a length of 5 where 1 bytes are left", [0x3A, 5, 0]),
      ("a length of 18446744073709551615", [0x3A] + Wire.varint(.max) + [0]),
      ("'graph' with wire type 0", [0x38, 1]), ("'ir_version' with wire type 2", [0x0A, 0]),
      ("field number 536870912", Wire.tag(1 << 29, 0) + [0]),
    ]
    for (text, bytes) in cases {
      let error = Wire(Wire.sample.bytes + bytes).rejection
      #expect(error?.code == .malformed, "\(text)")
      #expect(error?.message.contains(text) == true, "\(error.map(String.init) ?? "accepted"): \(text)")
      #expect(error?.message.contains("at byte") == true, "\(text)")
    }
  }

  @Test func brokenEncodingsInsideANodeAreRefused() {
    let attributes: [(String, Wire)] = [
      ("'ints' with wire type 5", Wire().string(1, "a").float(8, 1)),
      ("a broken number in 'ints'", Wire().string(1, "a").data(8, [0x80])),
      ("'floats' ends inside an element", Wire().string(1, "a").data(7, [1, 2, 3])),
      ("'t' occurs twice", Wire().string(1, "a").message(5, Wire()).message(5, Wire())),
      ("contains a NUL character", Wire().string(1, "a\0b")),
      ("not UTF-8", Wire().data(1, [0xC3, 0x28])),
    ]
    for (text, attribute) in attributes {
      let error = Wire.model(.graph(nodes: [.node("Op", attributes: [attribute])])).rejection
      #expect(error?.code == .malformed, "\(text)")
      #expect(error?.message.contains(text) == true, "\(error.map(String.init) ?? "accepted"): \(text)")
    }
  }

  @Test func lengthsMayBeSpelledLong() throws {
    let name: [UInt8] = [0x1A, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00] + Array("n".utf8)
    let type: [UInt8] = [0xA2, 0x80, 0x80, 0x00, 0x84, 0x80, 0x00] + Array("Relu".utf8)
    let model = try Wire.model(.graph(nodes: [Wire(name + type)])).read()
    #expect(model.graph.nodes[0].name == "n")
    #expect(model.graph.nodes[0].opType == "Relu")
  }

  /// A node with an attribute that is a graph with a node with …
  private func nested(_ levels: Int) -> Wire {
    var graph = Wire.graph()
    for _ in 0..<levels {
      graph = .graph(nodes: [.node("If", attributes: [Wire().string(1, "b").message(6, graph)])])
    }
    return .model(graph)
  }

  @Test func subgraphsNestToTheLimitAndNoDeeper() throws {
    // Model and graph, then three messages for every level: node, attribute, graph.
    #expect(try nested(20).read().graph.nodes[0].attributes["b"]?.kind == "a graph")
    for levels in [21, 22, 1000, 20_000] { #expect(nested(levels).rejection?.code == .limit, "\(levels)") }
  }

  @Test func smallFilesCannotDeclareLargeStructures() {
    let million = 1_000_000
    func repeated(_ wire: Wire, _ count: Int) -> [UInt8] {
      let unit = wire.bytes
      return [UInt8](unsafeUninitializedCapacity: unit.count * count) { buffer, initialized in
        for index in 0..<count { _ = buffer[(index * unit.count)...].update(from: unit) }
        initialized = unit.count * count
      }
    }
    let attributes = Wire(repeated(Wire().message(5, Wire()), million))
    let tensors = Wire().string(1, "a").raw(repeated(Wire().message(10, Wire()), million))
    let graphs: [(String, Wire)] = [
      ("nodes", Wire(repeated(Wire().message(1, Wire()), million))),
      ("initializers", Wire(repeated(Wire().message(5, Wire()), million))),
      ("inputs", Wire(repeated(Wire().message(11, Wire()), 2 * million))),
      ("inputs of a node", .graph(nodes: [Wire(repeated(Wire().string(1, ""), 4 * million))])),
      ("attributes of a node", .graph(nodes: [attributes])),
      ("tensors of an attribute", .graph(nodes: [Wire().message(5, tensors)])),
      ("dimensions", .graph(initializers: [Wire(repeated(Wire().int(1, 1), 4 * million))])),
      (
        "pieces of a tensor",
        .graph(initializers: [Wire(repeated(Wire().packed(5, [1]).packed(7, [1]), million))])
      ),
      (
        "small numbers",
        .graph(initializers: [
          Wire.tensor("t", .int64, [16 * Int64(million)]).data(7, [UInt8](repeating: 1, count: 16 * million))
        ])
      ),
    ]
    for (what, graph) in graphs { #expect(Wire.model(graph).rejection?.code == .limit, "\(what)") }
    let sets = repeated(Wire().message(8, Wire().string(1, "d").int(2, 1)), million)
    #expect(Wire.model(.graph()).raw(sets).rejection?.code == .limit)
  }
}
