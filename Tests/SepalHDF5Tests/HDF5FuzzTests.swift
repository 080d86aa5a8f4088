import Foundation
import SepalHDF5
import SepalTensor
import Testing

/// Whatever the bytes are, all of a file is read or refused, in little time: a trap would end the test process.
struct HDF5FuzzTests {
  /// One sound file for each family of the format.
  static let names = [
    "older_structures", "newer_structures", "hard_links", "filtered_heap", "shared_messages",
  ]

  private static let iterations =
    ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 25_000

  /// Elements beyond this many bytes are left out: flipped shapes of megabytes of zeros take their time.
  private let largest = 1 << 20

  private func survives(
    _ storage: TensorStorage, range: Range<Int>? = nil, _ what: @autoclosure () -> String
  ) -> Walk {
    let walk = Walk(storage, range: range, largest: largest)
    // Not `#expect`, which takes longer than most files.
    if walk.seconds > 1 { Issue.record("\(what()) took \(walk.seconds) s") }
    return walk
  }

  @Test(arguments: names)
  func everyPrefixIsRefused(name: String) throws {
    let storage = try Corpus.bytes(name).storage
    #expect(survives(storage, name).errors.isEmpty)
    for count in 0..<storage.bytes.count {
      let walk = survives(storage, range: 0..<count, "\(name): \(count) bytes")
      if walk.objects > 0 || walk.errors.count != 1 { Issue.record("\(name): \(count) bytes are read") }
    }
  }

  /// Prefixes whose superblock says that they are whole.
  @Test(arguments: names)
  func everyPrefixThatClaimsToBeWholeIsReadOrRefused(name: String) throws {
    var bytes = try Corpus.bytes(name)
    let checksums = Checksums(of: bytes)
    // The end of the file is the third address, behind 24 or 28 bytes in the old superblocks, and 12 in the new ones.
    let place = [24, 28, 12, 12][Int(bytes[8])] + 16
    var refused = 0
    for count in (place + 32..<bytes.count).reversed() {
      bytes.removeLast()
      for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: count >> (8 * byte)) }
      checksums.repair(&bytes, around: [place])
      if !survives(bytes.storage, "\(name): \(count) bytes").errors.isEmpty { refused += 1 }
    }
    // Space that nothing uses may follow what is there.
    #expect(refused > 1000, "\(name)")
  }

  @Test(arguments: names.indices)
  func flippedBytesAreReadOrRefused(index: Int) throws {
    let original = try Corpus.bytes(Self.names[index])
    let checksums = Checksums(of: original)
    #expect(checksums.count > 0 || original[8] < 2)
    // Empty space says nothing: bytes near to something that is there.
    let positions = original.indices.filter { place in
      original[max(0, place - 4)..<min(original.count, place + 5)].contains { $0 != 0 }
    }
    var random = SeededGenerator(seed: UInt64(index))
    var (accepted, refused) = (0, 0)
    for iteration in 0..<Self.iterations / Self.names.count {
      var bytes = original
      let flips = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        positions.randomElement(using: &random) ?? 0
      }
      for place in flips { bytes[place] = Self.changed(bytes[place], using: &random) }
      // Every fourth time, a checksum is what is wrong.
      if iteration % 4 != 0 { checksums.repair(&bytes, around: flips) }
      let walk = survives(bytes.storage, "\(Self.names[index]), flips at \(flips)")
      if walk.errors.isEmpty { accepted += 1 } else { refused += 1 }
    }
    // Both occur, so the flips reach beyond the first check.
    #expect(accepted > 0 && refused > 0, "\(Self.names[index]): \(accepted) read, \(refused) refused")
  }

  /// One bit, any value, or one of those at which sizes overflow.
  private static func changed(_ byte: UInt8, using random: inout SeededGenerator) -> UInt8 {
    switch Int.random(in: 0..<3, using: &random) {
    case 0: byte ^ 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: UInt8.random(in: 0...255, using: &random)
    default: [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
    }
  }
}

private struct SeededGenerator: RandomNumberGenerator {
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
