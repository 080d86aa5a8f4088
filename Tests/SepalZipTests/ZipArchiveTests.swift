import SepalTensor
import SepalZip
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `fixtures/zip`, written by Python's zipfile: see `fixtures/generators/make_zip.py`.
struct ZipArchiveTests {
  static let config = Array(String(repeating: #"{"a": [1, 2, 3]}"#, count: 40).utf8)
  static let data = (0..<256).map { UInt8($0) }

  static func fixture(_ name: String) throws -> [UInt8] {
    let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
    let file = try TensorStorage.mapping(path: "/\(root)/fixtures/zip/\(name).zip")
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  static let readable = ["stored", "deflated", "zip64", "piped", "piped_zip64", "comment", "folders"]

  @Test(arguments: readable)
  func archivesOfPythonAreRead(name: String) throws {
    let archive = try ZipArchive(storage(Self.fixture(name)))
    #expect(
      archive.members.map(\.name)
        == (name == "folders" ? ["folder/"] : []) + ["config.json", "folder/data.bin"])
    #expect(try archive.bytes("config.json") == Self.config)
    #expect(try archive.bytes("folder/data.bin") == Self.data)
    #expect(archive["data.bin"] == nil)
    #expect(archive["CONFIG.JSON"] == nil)
  }

  @Test func anArchiveInsideOfOtherBytesIsRead() throws {
    let bytes = try Self.fixture("zip64")
    let range = 100..<100 + bytes.count
    let around = storage([UInt8](repeating: 0x50, count: 100) + bytes + [1, 2, 3])
    let archive = try ZipArchive(around, range: range)
    #expect(try archive.bytes("config.json") == Self.config)
    #expect(try archive.bytes("folder/data.bin") == Self.data)
  }

  @Test func storedMembersAreNotCopied() throws {
    let file = storage(try Self.fixture("stored"))
    let archive = try ZipArchive(file)
    let (bytes, _) = try archive.contents(of: try #require(archive["folder/data.bin"]))
    #expect(bytes === file)
  }

  @Test func recognitionNeedsTheWholeSignature() throws {
    func recognizes(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { ZipArchive.recognizes($0) } }
    for name in Self.readable { #expect(recognizes(try Self.fixture(name)), "\(name)") }
    #expect(recognizes(Archive(members: []).bytes))
    #expect(!recognizes([]))
    #expect(!recognizes([0x50, 0x4B, 3]))
    #expect(!recognizes([0x50, 0x4B, 3, 6]))
  }

  @Test func anEmptyArchiveHasNoMembers() throws {
    #expect(try Archive(members: []).opened().members.isEmpty)
    #expect(try Archive(members: [], isLarge: true).opened().members.isEmpty)
  }

  @Test func largeFieldsAndForeignExtrasAreRead() throws {
    let archive = try Archive(
      members: [
        .init(name: "a", bytes: [1, 2], isLarge: true, padding: 62),
        .init(name: "b", bytes: [3], isLarge: true),
        .init(name: "c", bytes: []),
      ], comment: [1, 2, 3], isLarge: true
    ).opened()
    #expect(try archive.bytes("a") == [1, 2])
    #expect(try archive.bytes("b") == [3])
    #expect(try archive.bytes("c") == [])
  }

  @Test func readingGivesBackWhatWasWritten() throws {
    let path = "/tmp/sepal-zip-\(getpid()).zip"
    defer { unlink(path) }
    let file = try AtomicFile(path: path)
    var writer = ZipWriter(file)
    try writer.add("a", Self.config)
    try writer.add("b/c", [])
    try writer.finish()
    try file.commit()
    let archive = try ZipArchive(TensorStorage.mapping(path: path))
    #expect(archive.members.map(\.name) == ["a", "b/c"])
    #expect(try archive.bytes("a") == Self.config)
    #expect(try archive.bytes("b/c") == [])
  }

  @Test(arguments: readable)
  func brokenArchivesAreRefusedAndNeverTrap(name: String) throws {
    let original = try Self.fixture(name)
    for count in 0..<original.count {
      let prefix = storage(original.prefix(count))
      #expect(throws: ZipError.self, "\(name): prefix of \(count) bytes") { try ZipArchive(prefix) }
    }
    var state: UInt64 = 1
    for _ in 0..<5_000 {
      var bytes = original
      for _ in 0...Int(state >> 62) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[Int(state >> 33) % bytes.count] ^= UInt8(truncatingIfNeeded: state >> 20) | 1
      }
      guard let archive = try? ZipArchive(storage(bytes)) else { continue }
      for member in archive.members {
        guard let (contents, range) = try? archive.contents(of: member) else { continue }
        #expect(range.count == member.size && range.upperBound <= contents.bytes.count)
      }
    }
  }
}
