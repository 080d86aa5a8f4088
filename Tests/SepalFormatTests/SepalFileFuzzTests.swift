import SepalFormat
import SepalGraph
import SepalTensor
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Broken files are refused or read; they never trap. A trap ends the test process.
struct SepalFileFuzzTests {
  private func sample(_ kind: Storage) throws -> [UInt8] {
    let file = ScratchFile()
    try SepalWriter(storage: kind).write(try sampleGraph(), to: file.path)
    return try file.bytes()
  }

  private var iterations: Int {
    getenv("SEPAL_FUZZ_ITERATIONS").flatMap { Int(String(cString: $0)) } ?? 10_000
  }

  @Test(arguments: Storage.allCases)
  func everyPrefixIsRefused(kind: Storage) throws {
    let bytes = try sample(kind)
    for count in 0..<bytes.count {
      #expect(throws: FormatError.self, "prefix of \(count) bytes") {
        try SepalReader().read(storage(Array(bytes[..<count])))
      }
    }
  }

  @Test(arguments: Storage.allCases)
  func flippedBytesNeverTrap(kind: Storage) throws {
    let original = try sample(kind)
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<iterations {
      var bytes = original
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      bytes[position] ^= UInt8.random(in: 1...255, using: &generator)
      _ = try? SepalReader().read(storage(bytes))
    }
  }

  /// Flips behind the checksums: the graph section is stored as is, changed, and its checksums made right.
  @Test func flippedBytesBehindTheChecksumsNeverTrap() throws {
    let original = try FileParts(sample(.compact))
    var generator = SeededGenerator(seed: 43)
    var accepted = 0
    for _ in 0..<iterations {
      var parts = original
      let section = parts.sections.indices.randomElement(using: &generator) ?? 0
      guard !parts.sections[section].bytes.isEmpty else { continue }
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let position = Int.random(in: 0..<parts.sections[section].bytes.count, using: &generator)
        parts.sections[section].bytes[position] = UInt8.random(in: 0...255, using: &generator)
      }
      if (try? SepalReader().read(storage(parts.joined()))) != nil { accepted += 1 }
    }
    #expect(accepted < iterations)
  }

  @Test func unknownCriticalSectionsAreRefusedAndOthersSkipped() throws {
    var parts = try FileParts(sample(.compact))
    parts.sections.append(FileParts.Part(type: 999, flags: 0, bytes: [1, 2, 3]))
    _ = try SepalReader().read(storage(parts.joined()))
    parts.sections[parts.sections.count - 1].flags = 1
    let error = #expect(throws: FormatError.self) { try SepalReader().read(storage(parts.joined())) }
    #expect(error?.code == .unsupported)
  }

  @Test(arguments: [
    ("other outputs", [GoldenVector.Output(name: "result", count: 64, values: [1], bounds: [1])]),
    ("another count", outputs(count: 63, values: [1], bounds: [1])),
    ("no values", outputs(count: 64, values: [], bounds: [1])),
    ("more values than elements", outputs(count: 64, values: Array(repeating: 0, count: 65), bounds: [1])),
    ("no bounds", outputs(count: 64, values: [1, 2], bounds: [])),
    ("bounds for other values", outputs(count: 64, values: [1, 2, 3], bounds: [1, 2])),
    ("a negative bound", outputs(count: 64, values: [1], bounds: [-1])),
    ("a bound that is no number", outputs(count: 64, values: [1], bounds: [.nan])),
  ])
  func goldenVectorsThatDoNotFitAreRefused(about: String, outputs: [GoldenVector.Output]) throws {
    var graph = try sampleGraph()
    graph.provenance.golden = [GoldenVector(generator: 1, seed: 1, outputs: outputs)]
    let file = ScratchFile()
    try SepalWriter().write(graph, to: file.path)
    let error = #expect(throws: FormatError.self, "\(about)") { try SepalReader().read(path: file.path) }
    #expect(error?.code == .malformed)
    #expect(error?.message.contains("golden") == true, "\(about): \(String(describing: error))")
  }

  private static func outputs(count: Int, values: [Double], bounds: [Float]) -> [GoldenVector.Output] {
    ["result", "again"].map { .init(name: $0, count: count, values: values, bounds: bounds) }
  }

  @Test func newerMajorVersionsAreRefused() throws {
    var bytes = try sample(.compact)
    bytes[8] = 2
    let error = #expect(throws: FormatError.self) { try SepalReader().read(storage(bytes)) }
    #expect(error?.code == .unsupported)
  }

  @Test func aFlippedWeightBitIsFound() throws {
    var parts = try FileParts(sample(.mmap))
    let weights = try #require(parts.sections.firstIndex { $0.type == 2 })
    parts.sections[weights].bytes[3] ^= 1
    let error = #expect(throws: FormatError.self) { try SepalReader().read(storage(parts.joined())) }
    #expect(error?.code == .corrupt)
  }
}

struct SeededGenerator: RandomNumberGenerator {
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
