#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a temporary file in the same folder; `commit` flushes it to the disk and renames it. Without a
/// commit the temporary file is removed and whatever had the name before is untouched.
public final class AtomicFile {
  public let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var pending: [UInt8] = []
  /// Bytes written so far.
  public private(set) var count = 0

  public init(path: String) throws(FileError) {
    self.path = path
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var template = Array("\(folder).\(name).XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    temporaryPath = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0 else {
      throw FileError(errno == ENOENT ? .missing : .unreadable, path: path, message: Self.reason())
    }
    // mkstemp makes the file private; a model is as readable as any other new file.
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporaryPath)
    }
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    count += bytes.count
    if bytes.count < 1 << 16 {
      pending.append(contentsOf: bytes)
      if pending.count >= 1 << 20 { try flush() }
    } else {
      try flush()
      guard writeAll(bytes) else { throw failure() }
    }
  }

  public func write(_ bytes: [UInt8]) throws(FileError) {
    count += bytes.count
    pending.append(contentsOf: bytes)
    if pending.count >= 1 << 20 { try flush() }
  }

  /// Appends zero bytes up to a multiple of `alignment`.
  public func pad(to alignment: Int) throws(FileError) {
    let rest = count % alignment
    if rest != 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
  }

  /// Writes the first bytes again, once what they say is known.
  public func overwriteStart(with bytes: [UInt8]) throws(FileError) {
    precondition(bytes.count <= count)
    try flush()
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { throw failure() }
  }

  /// Makes the file visible under its name.
  public func commit() throws(FileError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw failure() }
    guard rename(temporaryPath, path) == 0 else { throw failure() }
    close(descriptor)
    descriptor = -1
  }

  private func flush() throws(FileError) {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    guard bytes.withUnsafeBytes({ writeAll($0) }) else { throw failure() }
  }

  /// False, with `errno` set, when the system refuses.
  private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      #if canImport(Darwin)
        let written = Darwin.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      #elseif canImport(Musl)
        let written = Musl.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      #else
        let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      #endif
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { return false }
      rest = rest.dropFirst(written)
    }
    return true
  }

  private func failure() -> FileError { FileError(.unreadable, path: path, message: Self.reason()) }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
