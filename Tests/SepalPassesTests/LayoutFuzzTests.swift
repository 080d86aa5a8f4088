import Foundation
import SepalGraph
import SepalPasses
import SepalTensor
import Testing

@Suite("layout passes, on random networks")
struct LayoutFuzzTests {
  private static let layoutPasses: Set = [
    "channels-last", "merge-transposes", "replace-transpose-by-reshape", "sink-transposes", "lift-transposes",
    "fold-transpose-into-gemm", "fold-channel-shuffle-into-conv", "sink-reshapes", "merge-reshapes",
    "fold-reshape-into-global-pool",
  ]
  private static let seeds =
    0..<min(ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap { Int($0) } ?? 80, 20_000)

  private func transposes(_ graph: Graph) -> Int { graph.nodes.count { $0.op is Transpose } }

  @Test("outputs and origins stay, and moving transposes never adds any", arguments: seeds)
  func equivalent(seed: Int) throws {
    let source = try RandomNetwork(seed: UInt64(seed), nodes: 4 + seed % 30).graph
    let unmoved = try source.optimized(
      by: Self.layoutPasses.subtracting(["sink-transposes", "lift-transposes"]))
    let moved = try source.optimized(by: Self.layoutPasses)
    try expectEquivalent(source, moved, seed: UInt64(seed))
    #expect(transposes(moved) <= transposes(unmoved), "\(source)\nbecame\n\(moved)")
    #expect(
      !moved.nodes.contains { node in node.op.attributes.contains { $0.value == .string("channelsFirst") } })
  }

  @Test("the whole pipeline keeps outputs and origins, without any one pass as well", arguments: seeds)
  func wholePipeline(seed: Int) throws {
    let source = try RandomNetwork(seed: 10_000 + UInt64(seed), nodes: 4 + seed % 40).graph
    let names = Optimizer.passNames
    for passes in [Set(names), Set(names).subtracting([names[seed % names.count]])] {
      let optimized = try source.optimized(by: passes)
      try expectEquivalent(source, optimized, seed: UInt64(seed), tolerance: 1e-4)
    }
  }
}
