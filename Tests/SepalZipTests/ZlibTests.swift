import CZlib
import SepalZip
import Testing

/// Against zlib's own one-shot functions.
struct ZlibTests {
  private static func sample(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 * $0 / 7 % 251) } }

  private func inflate(
    _ bytes: [UInt8], _ wrapper: Zlib.Wrapper = .zlib, exactly count: Int
  ) throws(ZipError) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: count)
    do {
      try bytes.withUnsafeBytes { bytes in
        try target.withUnsafeMutableBytes { try Zlib.inflate(bytes, wrapper, into: $0) }
      }
    } catch let error as ZipError {
      throw error
    } catch {
      Issue.record("\(error)")
    }
    return target
  }

  private func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    try #require(compress(&result, &count, bytes, uLong(bytes.count)) == Z_OK)
    return Array(result.prefix(Int(count)))
  }

  @Test(arguments: [0, 1, 17, 1000, 100_000])
  func streamsOfZlibInflate(count: Int) throws {
    let bytes = Self.sample(count)
    let stream = try compressed(bytes)
    #expect(try inflate(stream, exactly: count) == bytes)
    // Without its two bytes of header and four of checksum, it is a raw stream.
    #expect(try inflate(Array(stream.dropFirst(2).dropLast(4)), .raw, exactly: count) == bytes)
  }

  @Test func aBoundedTargetTakesLessAndRefusesMore() throws {
    let bytes = Self.sample(1000)
    let stream = try compressed(bytes)
    var target = [UInt8](repeating: 0xFF, count: 1500)
    let produced = try stream.withUnsafeBytes { stream in
      try target.withUnsafeMutableBytes { try Zlib.inflate(stream, .zlib, upTo: $0) }
    }
    #expect(produced == 1000)
    #expect(Array(target.prefix(1000)) == bytes)
    #expect(target.dropFirst(1000).allSatisfy { $0 == 0xFF })
    #expect(throws: ZipError(.malformed, "inflates to 1000 bytes, expected 1001")) {
      try inflate(stream, exactly: 1001)
    }
    for count in [0, 1, 999] {
      #expect(throws: ZipError(.limit, "inflates to more than \(count) bytes")) {
        try inflate(stream, exactly: count)
      }
    }
  }

  @Test func streamsThatEndEarlyOrLateAreRefused() throws {
    let bytes = Self.sample(1000)
    let stream = try compressed(bytes)
    for count in 0..<stream.count {
      let error = #expect(throws: ZipError.self, "prefix of \(count) bytes") {
        try inflate(Array(stream.prefix(count)), exactly: 1000)
      }
      #expect(error?.code == .malformed, "prefix of \(count) bytes: \(String(describing: error))")
    }
    #expect(throws: ZipError(.malformed, "has 3 bytes after the end of its stream")) {
      try inflate(stream + [1, 2, 3], exactly: 1000)
    }
  }

  @Test func aWrongChecksumOrDictionaryIsRefused() throws {
    var stream = try compressed(Self.sample(1000))
    stream[stream.count - 1] ^= 1
    #expect(throws: ZipError(.malformed, "has a compressed stream that is broken")) {
      try inflate(stream, exactly: 1000)
    }
    #expect(throws: ZipError.self) { try inflate([0x78, 0xBB, 0, 0, 0, 1, 3, 0], exactly: 0) }
  }

  @Test(arguments: [Zlib.Strategy.matches, .runs])
  func deflatedBytesInflate(strategy: Zlib.Strategy) throws {
    let bytes = [UInt8](repeating: 7, count: 500) + Self.sample(500)
    let stream = try #require(bytes.withUnsafeBytes { Zlib.deflate($0, strategy: strategy) })
    #expect(stream.count < 1000)
    var target = [UInt8](repeating: 0, count: 1000)
    var count = uLongf(1000)
    #expect(uncompress(&target, &count, stream, uLong(stream.count)) == Z_OK)
    #expect(target == bytes)
  }

  @Test func whatDoesNotShrinkIsNotDeflated() {
    #expect([UInt8](1...3).withUnsafeBytes { Zlib.deflate($0) } == nil)
    var state: UInt64 = 1
    let noise = (0..<1000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
    #expect(noise.withUnsafeBytes { Zlib.deflate($0) } == nil)
  }

  /// The check value of the CRC catalogue.
  @Test func checksumsAreThoseOfZip() {
    #expect(Zlib.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(Zlib.crc32([]) == 0)
  }

  /// Long messages are folded before zlib sees them.
  @Test func checksumsAreThoseOfZlibAtEveryLengthAndAlignment() {
    let bytes = Self.sample(1100)
    bytes.withUnsafeBytes { bytes in
      for count in Array(0...300) + [511, 512, 513, 1023, 1024, 1080] {
        for start in [0, 1, 7, 16] {
          let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
          let start = part.baseAddress?.assumingMemoryBound(to: UInt8.self)
          #expect(Zlib.crc32(part) == UInt32(CZlib.crc32(0, start, uInt(count))), "\(count) bytes")
        }
      }
    }
  }
}
