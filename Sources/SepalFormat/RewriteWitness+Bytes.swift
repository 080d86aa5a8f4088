import SepalGraph

/// Digests in a file are half as long as their text.
extension RewriteWitness {
  private static let byteCount = 16

  /// Nil when `digest` is none. Of `constants` whole digests count.
  init?(digest: [UInt8], constants: [UInt8]) {
    guard digest.count == Self.byteCount else { return nil }
    let count = constants.count / Self.byteCount
    self.init(
      digest: Self.text(digest[...]),
      constants: (0..<count).map { Self.text(constants[$0 * Self.byteCount..<($0 + 1) * Self.byteCount]) })
  }

  var digestBytes: [UInt8] { Self.bytes(digest) }
  var constantsBytes: [UInt8] { constants.flatMap(Self.bytes) }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The bytes of two digits each; zeros for what has no digits.
  private static func bytes(_ text: String) -> [UInt8] {
    let values = text.utf8.map { UInt8(Character(UnicodeScalar($0)).hexDigitValue ?? 0) }
    return (0..<byteCount).map { 2 * $0 + 1 < values.count ? values[2 * $0] << 4 | values[2 * $0 + 1] : 0 }
  }
}
