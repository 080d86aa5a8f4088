import Foundation
import SepalRuntime
import Testing

/// The file with a machine's rates.
@Suite struct CalibrationCacheTests {
  private let key = CalibrationCache.Key(processor: "Test (R) Processor 7 @ 3.0GHz", instructionSet: "avx2")

  private func withCache(_ body: (CalibrationCache) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "sepal-cache-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(CalibrationCache(folder: folder + "/not/there/yet"))
  }

  @Test func ratesAreReadBackWithTheSameBits() throws {
    try withCache { cache in
      let rates = try #require(MachineRates.table())
      #expect(cache.read(key) == nil)
      #expect(cache.write(rates, key))
      #expect(cache.read(key) == rates)
    }
  }

  @Test func anotherProcessorOrInstructionSetHasRatesOfItsOwn() throws {
    try withCache { cache in
      let rates = try #require(MachineRates.table())
      #expect(cache.write(rates, key))
      for other in [("Test (R) Processor 8 @ 3.0GHz", "avx2"), ("Test (R) Processor 7 @ 3.0GHz", "avx512")] {
        #expect(cache.read(.init(processor: other.0, instructionSet: other.1)) == nil)
      }
      // The same file name, another processor.
      #expect(cache.read(.init(processor: "test-r-processor-7-3-0ghz", instructionSet: "avx2")) == nil)
    }
  }

  @Test func everyDamageMakesTheFileCountAsNone() throws {
    try withCache { cache in
      let rates = try #require(MachineRates.table())
      #expect(cache.write(rates, key))
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: cache.path(key))))
      func read(_ bytes: [UInt8]) throws -> MachineRates? {
        try Data(bytes).write(to: URL(fileURLWithPath: cache.path(key)))
        return cache.read(key)
      }
      for count in 0..<whole.count { #expect(try read(Array(whole[..<count])) == nil, "\(count) bytes") }
      for index in whole.indices {
        var bytes = whole
        bytes[index] ^= 1
        #expect(try read(bytes) == nil, "byte \(index)")
      }
      #expect(try read(whole + [10]) == nil)
      #expect(try read([UInt8](repeating: 48, count: 1 << 20)) == nil)
      #expect(try read(whole) == rates)
    }
  }

  @Test func aFolderThatCannotBeWrittenIsNoError() throws {
    let rates = try #require(MachineRates.table())
    let cache = CalibrationCache(folder: "/dev/null/sepal")
    #expect(!cache.write(rates, key))
    #expect(cache.read(key) == nil)
  }

  @Test func aNameOfOtherCharactersStaysALineAndAFile() throws {
    try withCache { cache in
      let rates = try #require(MachineRates.table())
      for name in ["", "../../etc/x", "a\nb\u{0}c", String(repeating: "é…x", count: 400)] {
        let key = CalibrationCache.Key(processor: name, instructionSet: "neon")
        #expect(cache.write(rates, key), "\(name)")
        #expect(cache.read(key) == rates, "\(name)")
        let file = cache.path(key).dropFirst(cache.folder.count + 1)
        #expect(!file.contains("/") && file.utf8.count < 200)
      }
    }
  }
}
