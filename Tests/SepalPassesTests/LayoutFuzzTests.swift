import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("Layout passes on random networks")
struct LayoutFuzzTests {
  static let layoutPasses = [
    "fold-reshape-into-global-pool", "channels-last", "merge-transposes", "sink-transposes",
    "lift-transposes",
    "replace-transpose-by-reshape", "fold-transpose-into-gemm", "sink-reshapes", "merge-reshapes",
  ]

  private func transposes(_ graph: Graph) -> Int { graph.nodes.count { $0.op is Transpose } }

  @Test("outputs and origins stay, and moving transposes never adds any", arguments: 0..<120)
  func equivalent(seed: Int) throws {
    let source = try RandomNetwork(seed: UInt64(seed), nodes: 4 + seed % 30).graph
    let unmoved = try source.optimized(
      by: Self.layoutPasses.filter { !["sink-transposes", "lift-transposes"].contains($0) })
    let moved = try source.optimized(by: Self.layoutPasses)
    try expectEquivalent(source, moved, seed: UInt64(seed))
    #expect(transposes(moved) <= transposes(unmoved), "\(source)\nbecame\n\(moved)")
    #expect(
      !moved.nodes.contains { node in node.op.attributes.contains { $0.value == .string("channelsFirst") } })
  }
}
