import Foundation
import SepalONNX
import SepalTensor
import Testing

/// Whatever a damaged model says, importing it either succeeds with a legal graph or throws.
@Suite struct ImportFuzzTests {
  static let iterations =
    ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 10_000

  private func survives(_ bytes: [UInt8]) throws {
    guard let imported = try? ONNXImporter().load(try ONNXModel(bytes.storage, folder: nil)) else { return }
    try imported.graph.verify()
  }

  @Test func damagedTrapModelsAreImportedOrRefused() throws {
    var random = SplitMix64(seed: 3)
    for name in TrapModelTests.names {
      let data = try #require(FileManager.default.contents(atPath: "\(TrapModelTests.folder)/\(name).onnx"))
      let original = Array(data.prefix(50_000))
      for _ in 0..<max(Self.iterations / TrapModelTests.names.count, 1) {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        try survives(bytes)
      }
    }
  }

  @Test func everyPrefixOfAModelIsImportedOrRefused() throws {
    let path = "\(TrapModelTests.folder)/flatten_shape_chain.onnx"
    let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
    for count in bytes.indices { try survives(Array(bytes[..<count])) }
  }
}
