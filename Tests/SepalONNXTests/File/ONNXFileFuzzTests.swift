import Foundation
import SepalONNX
import SepalTensor
import Testing

/// Whatever the bytes are, reading either succeeds or throws: a trap would end the test process.
@Suite struct ONNXFileFuzzTests {
  static let iterations =
    ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 10_000

  /// Reads a model and everything in it.
  @discardableResult
  private func survives(_ bytes: [UInt8]) -> Bool {
    guard let model = try? ONNXModel(bytes.storage, folder: nil) else { return false }
    for initializer in model.graph.initializers { _ = try? initializer.tensor() }
    for node in model.graph.nodes {
      for name in node.attributes.keys {
        _ = try? node.ints(name, count: 2)
        _ = try? node.string(name)
        _ = try? node.tensor(name)?.tensor()
      }
    }
    return true
  }

  @Test func everyPrefixOfAModelIsReadOrRefused() throws {
    let bytes = Wire.sample.bytes
    #expect(survives(bytes))
    for count in 0..<bytes.count { survives(Array(bytes[..<count])) }
  }

  @Test func flippedBytesAreReadOrRefused() throws {
    var random = SplitMix64(seed: 1)
    let original = Wire.sample.bytes
    var accepted = 0
    for _ in 0..<Self.iterations {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if survives(bytes) { accepted += 1 }
    }
    // Both outcomes occur, so the flips reach beyond the first check.
    #expect(accepted > 0 && accepted < Self.iterations)
  }

  @Test func randomSplicesAreReadOrRefused() throws {
    var random = SplitMix64(seed: 2)
    let original = Wire.sample.bytes
    for _ in 0..<Self.iterations {
      let source = Int.random(in: original.indices, using: &random)
      let piece = original[source..<min(original.count, source + Int.random(in: 1...40, using: &random))]
      let target = Int.random(in: original.indices, using: &random)
      let removed = Int.random(in: 0...min(20, original.count - target), using: &random)
      var bytes = original
      bytes.replaceSubrange(target..<target + removed, with: piece)
      survives(bytes)
    }
  }

  @Test func randomBytesAreReadOrRefused() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<Self.iterations {
      // Small values, because those are tags and lengths.
      let count = Int.random(in: 1...60, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...127, using: &random) }
      survives([0x3A, UInt8(count)] + bytes)
    }
  }
}

struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
