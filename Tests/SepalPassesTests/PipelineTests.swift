import Foundation
import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("pipeline")
struct PipelineTests {
  /// Source files of passes, by type name.
  private static func passFiles() throws -> [String: String] {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Sources/SepalPasses")
    let enumerator = try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var files: [String: String] = [:]
    for case let url as URL in enumerator where url.pathExtension == "swift" {
      let text = try String(contentsOf: url, encoding: .utf8)
      if let match = text.firstMatch(of: /struct (\w+): (?:Costed|Graph)?Pass \{/) {
        #expect(url.deletingPathExtension().lastPathComponent == match.1, "file and type differ")
        files[String(match.1)] = text
      }
    }
    return files
  }

  @Test func everyPassIsListedUnderTheNameOfItsFile() throws {
    let names = try Self.passFiles().keys.map { type in
      type.reduce(into: "") { name, letter in
        if letter.isUppercase && !name.isEmpty { name.append("-") }
        name.append(letter.lowercased())
      }
    }
    // Only export runs this one, after the pipeline.
    #expect(names.sorted() == (Optimizer.passNames + ["channels-first"]).sorted())
  }

  @Test func everyPassSaysWhatItDoesAndWhen() throws {
    for (type, text) in try Self.passFiles() {
      for heading in ["/// Before: ", "After: ", "/// Requires: ", "/// Exactness: "] {
        #expect(text.contains(heading), "\(type) has no '\(heading)'")
      }
    }
  }

  /// The work of one optimisation must not grow faster than the graph. Printed, because machines differ.
  @Test func timeOverAChainIsPrinted() throws {
    var perNode: [Double] = []
    #if DEBUG
      let counts = [300, 3_000]
    #else
      let counts = [10_000, 100_000]
    #endif
    for count in counts {
      var graph = try chain(count)
      let clock = ContinuousClock()
      let elapsed = try clock.measure { try Optimizer().run(&graph) }
      perNode.append(elapsed / .microseconds(1) / Double(count))
      print("chain of \(count) nodes: \(elapsed), \(perNode.last ?? 0) µs a node, \(graph.nodeCount) left")
      #expect(graph.nodeCount < count)
    }
  }

  private func chain(_ count: Int) throws -> Graph {
    var graph = Graph(name: "chain")
    var value = graph.addInput("x", TensorType(.float32, [1, 4, 2, 2]))
    let weight = graph.addConstant("w", Tensor([4, 4, 1, 1], floats: (0..<16).map { Float($0) / 8 }))
    let half = graph.addConstant("half", Tensor([], floats: [0.5]))
    let ops: [(any Operator, [ValueID])] = [
      (Conv(), [weight]), (Mul(), [half]), (Identity(), []), (Clip(min: 0, max: 6), []), (Sub(), [half]),
      (Tanh(), []),
    ]
    for index in 0..<count {
      let (op, operands) = ops[index % ops.count]
      value = try graph.add(op, name: "n\(index)", inputs: [value] + operands)[0]
    }
    graph.addOutput("y", value)
    return graph
  }
}
