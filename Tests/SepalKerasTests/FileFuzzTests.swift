import Foundation
import SepalGraph
import SepalKeras
import SepalTensor
import Testing

/// Damaged files of every container: importing them succeeds with a legal graph or throws, within a bound.
struct FileFuzzTests {
  /// Flips, spread over the files.
  static let iterations =
    ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 10_000

  static let files: [(name: String, bytes: [UInt8])] = RecordedModel.all(in: "keras_layers").compactMap {
    model in
    guard model.weights == nil,
      let data = FileManager.default.contents(atPath: Fixtures.path("keras_layers/\(model.file)")),
      data.count < 24_000
    else { return nil }
    return (model.name, Array(data))
  }

  @Test func thereAreFilesOfBothContainers() {
    let zips = Self.files.count { $0.bytes.starts(with: [0x50, 0x4B]) }
    #expect(zips > 20 && Self.files.count - zips > 20)
  }

  @Test func flippedBytesAreImportedOrRefused() throws {
    var random = SplitMix64(seed: 21)
    for index in 0..<Self.iterations {
      var (name, bytes) = Self.files[index % Self.files.count]
      // Headers are at the front of HDF5 and at the end of zip.
      let isZip = bytes.starts(with: [0x50, 0x4B])
      let near = min(bytes.count, 2048)
      let range =
        Bool.random(using: &random) ? bytes.indices : isZip ? bytes.count - near..<bytes.count : 0..<near
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try survives(bytes, name)
    }
  }

  @Test func prefixesAreRefused() throws {
    for (name, bytes) in [Self.files.first, Self.files.last].compactMap(\.self) {
      for count in stride(from: 0, to: bytes.count, by: 37) { try survives(Array(bytes[..<count]), name) }
    }
  }

  private func survives(_ bytes: [UInt8], _ name: String) throws {
    let clock = ContinuousClock()
    let elapsed = try clock.measure {
      guard let imported = try? KerasImporter().load(bytes.storage) else { return }
      try imported.graph.verify()
    }
    #expect(elapsed < .seconds(20), "\(name)")
  }
}

extension [UInt8] {
  var storage: TensorStorage {
    withUnsafeBytes { bytes in TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) } }
  }
}

/// Seeded, so that a failure repeats.
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
