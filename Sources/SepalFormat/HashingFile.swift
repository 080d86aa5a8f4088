import SepalDigest
import SepalTensor

/// Writes to a file what is also part of its content digest.
final class HashingFile {
  private let file: AtomicFile
  private var hasher = SHA256Hasher()

  init(_ file: AtomicFile) { self.file = file }

  /// Bytes in the file so far.
  var count: Int { file.count }

  func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    hasher.update(bytes)
    try file.write(bytes)
  }

  func write(_ bytes: [UInt8]) throws(FileError) {
    bytes.withUnsafeBytes { hasher.update($0) }
    try file.write(bytes)
  }

  /// Appends zero bytes up to a multiple of `alignment`.
  func pad(to alignment: Int) throws(FileError) {
    let rest = count % alignment
    if rest != 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
  }

  /// The digest of what was written and, after it, of `bytes`.
  func digest(with bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { hasher.update($0) }
    return hasher.finish()
  }
}
