import SepalTensor

/// The SHA-256 by which a source is recognised.
///
/// Of one file: that of its bytes, as `sha256sum` prints it. Of several: that of their digests, each in lower-case
/// hexadecimal and followed by a line feed.
public enum SourceDigest {
  /// In lower-case hexadecimal. Takes no more memory than a stretch of the file, however long that is.
  ///
  /// - Parameter paths: the model file, then the others that belong to it.
  public static func of(_ paths: [String]) throws(FileError) -> String {
    var digests: [String] = []
    for path in paths { digests.append(try of(file: path)) }
    guard digests.count > 1 else { return digests.first ?? "" }
    var hasher = SHA256Hasher()
    for digest in digests { hasher.update("\(digest)\n") }
    return hasher.finish()
  }

  private static func of(file path: String) throws(FileError) -> String {
    let storage = try TensorStorage.mapping(path: path)
    var hasher = SHA256Hasher()
    let stretch = 4 << 20
    for start in stride(from: 0, to: storage.bytes.count, by: stretch) {
      let range = start..<min(start + stretch, storage.bytes.count)
      hasher.update(UnsafeRawBufferPointer(rebasing: storage.bytes[range]))
      storage.releasePages(range)
    }
    return hasher.finish()
  }
}
