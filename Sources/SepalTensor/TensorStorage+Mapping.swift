#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Why a file could not be opened for reading.
public struct FileError: Error, Sendable, Equatable {
  public enum Code: Sendable, Equatable {
    /// Nothing is there, or a folder on the way to it is missing.
    case missing
    /// A folder, a pipe, a device.
    case notAFile
    /// The system refused; the message is its reason.
    case unreadable
  }

  public let code: Code
  public let path: String
  public let message: String

  public init(_ code: Code, path: String, message: String) {
    self.code = code
    self.path = path
    self.message = message
  }
}

extension FileError: CustomStringConvertible {
  public var description: String { "\(path): \(message)" }
}

extension TensorStorage {
  /// Maps a regular file read-only; nothing is read until it is touched. An empty file gives empty storage.
  ///
  /// The file must not be shortened by another process while the storage lives.
  public static func mapping(path: String) throws(FileError) -> TensorStorage {
    // Without O_NONBLOCK, opening a pipe waits for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let reason = errno
      if reason == ENOENT || reason == ENOTDIR {
        throw FileError(.missing, path: path, message: "no such file")
      }
      throw FileError(.unreadable, path: path, message: systemMessage(reason))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(.unreadable, path: path, message: systemMessage(errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
      throw FileError(.notAFile, path: path, message: "is \(kind), expected a file")
    }
    guard let count = Int(exactly: status.st_size) else {
      throw FileError(.unreadable, path: path, message: "is too large to map")
    }
    guard count > 0 else {
      return TensorStorage(viewing: UnsafeRawBufferPointer(start: nil, count: 0), owner: Mapping(nil, 0))
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw FileError(.unreadable, path: path, message: systemMessage(errno))
    }
    return TensorStorage(
      viewing: UnsafeRawBufferPointer(start: start, count: count), owner: Mapping(start, count))
  }

  private static func systemMessage(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }
}

extension TensorStorage {
  /// Gives back the memory of a mapped file's pages that `range` touches; touching them again reads the file again.
  /// Does nothing to storage that is not a mapped file.
  package func releasePages(_ range: Range<Int>) {
    (owner as? Mapping)?.release(range)
  }
}

extension Tensor {
  /// Gives back the memory of a mapped file's pages that this tensor touches, as `TensorStorage.releasePages(_:)` does.
  package func releasePages() {
    storage.releasePages(byteOffset..<byteOffset + byteCount)
  }
}

/// Unmaps when the last view of it is gone. Immutable, hence `Sendable`.
private final class Mapping: @unchecked Sendable {
  private let start: UnsafeMutableRawPointer?
  private let count: Int

  init(_ start: UnsafeMutableRawPointer?, _ count: Int) {
    self.start = start
    self.count = count
  }

  func release(_ range: Range<Int>) {
    let page = Int(getpagesize())
    let first = range.lowerBound / page * page
    guard let start, first < range.upperBound, range.upperBound <= count else { return }
    madvise(start + first, range.upperBound - first, MADV_DONTNEED)
  }

  deinit {
    if let start { munmap(start, count) }
  }
}

/// A large block of memory of its own: the system has zeroed it, and has it back as soon as it is freed. Written before
/// it is shared, then immutable, hence `Sendable`.
final class ZeroedPages: @unchecked Sendable {
  /// Smaller blocks are cheaper to zero than to ask for.
  private static let minimumByteCount = 128 << 10

  let bytes: UnsafeMutableRawBufferPointer

  /// Nil where `byteCount` is too small, or where the system has no such block.
  init?(byteCount: Int) {
    guard byteCount >= Self.minimumByteCount,
      let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
      start != MAP_FAILED
    else { return nil }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }
}
