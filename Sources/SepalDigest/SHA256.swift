#if canImport(CryptoKit)
  import CryptoKit
#else
  import CCrypto
#endif

/// SHA-256 of bytes that come piece by piece.
public struct SHA256Hasher: ~Copyable {
  #if canImport(CryptoKit)
    private var state = CryptoKit.SHA256()

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

    /// The digest of everything so far, in lower-case hexadecimal. Begins anew.
    public mutating func finish() -> String {
      defer { state = CryptoKit.SHA256() }
      return hexadecimal(state.finalize())
    }
  #else
    private let context: OpaquePointer?
    private var isSound: Bool

    /// Neither configuration files nor the environment have a say in what computes the digest.
    private static let isInitialized = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1

    public init() {
      context = EVP_MD_CTX_new()
      isSound = Self.isInitialized && EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      guard !bytes.isEmpty else { return }
      isSound = isSound && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    }

    /// The digest of everything so far, in lower-case hexadecimal. Begins anew.
    public mutating func finish() -> String {
      var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      var count: UInt32 = 0
      isSound = isSound && EVP_DigestFinal_ex(context, &digest, &count) == 1
      // Only a libcrypto without SHA-256 or memory gets here.
      precondition(isSound, "libcrypto cannot compute SHA-256")
      isSound = EVP_DigestInit_ex(context, nil, nil) == 1
      return hexadecimal(digest.prefix(Int(count)))
    }
  #endif

  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
