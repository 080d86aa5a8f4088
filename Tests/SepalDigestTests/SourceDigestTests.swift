import SepalDigest
import SepalTensor
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct SourceDigestTests {
  /// The examples of FIPS 180-2, and what `sha256sum` prints.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func publishedDigests(text: String, digest: String) throws {
    var hasher = SHA256Hasher()
    hasher.update(text)
    #expect(hasher.finish() == digest)
    let file = ScratchFile(Array(text.utf8))
    #expect(try withExtendedLifetime(file) { try SourceDigest.of([$0.path]) } == digest)
  }

  @Test func piecesGiveTheDigestOfTheWhole() {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var whole = SHA256Hasher()
    bytes.withUnsafeBytes { whole.update($0) }
    var pieces = SHA256Hasher()
    for start in stride(from: 0, to: bytes.count, by: 77) {
      bytes[start..<min(start + 77, bytes.count)].withUnsafeBytes { pieces.update($0) }
    }
    #expect(whole.finish() == pieces.finish())
  }

  /// A million times the letter a, and enough more to need several stretches of a mapped file.
  @Test func longFiles() throws {
    for (bytes, digest) in [
      (
        [UInt8](repeating: 0x61, count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
      (
        [UInt8](repeating: 0, count: 10 << 20),
        "e5b844cc57f57094ea4585e235f36c78c1cd222262bb89d53c94dcb4d6b3e55d"
      ),
    ] {
      let file = ScratchFile(bytes)
      #expect(try withExtendedLifetime(file) { try SourceDigest.of([$0.path]) } == digest)
    }
  }

  /// `sha256sum abc empty | cut -c 1-64 | sha256sum`
  @Test func severalFilesAreTheDigestOfTheirDigests() throws {
    let files = [ScratchFile(Array("abc".utf8)), ScratchFile([])]
    let digest = try withExtendedLifetime(files) { try SourceDigest.of($0.map(\.path)) }
    #expect(digest == "ff481ce4c9482a1350469a8ff263915d6a478123e3a0c03f6eba5cb3e38a150f")
  }

  @Test func aMissingFileIsAnError() {
    let error = #expect(throws: FileError.self) { try SourceDigest.of(["/nonexistent/model.onnx"]) }
    #expect(error?.code == .missing)
  }
}

/// A file that is gone after the test.
private final class ScratchFile {
  let path = "/tmp/sepal-digest-\(getpid())-\(UInt64.random(in: 0 ... .max))"

  init(_ bytes: [UInt8]) {
    let file = fopen(path, "w")
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  deinit { unlink(path) }
}
