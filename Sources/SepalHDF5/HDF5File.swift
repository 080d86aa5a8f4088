import SepalTensor

/// An HDF5 file, opened for reading.
///
/// Nothing is read before it is asked for, and nothing is believed: every structure is checked against the bytes that
/// are there. See the README of this target for what is read and what is refused.
public struct HDF5File: Sendable {
  /// The group that holds everything.
  public let root: HDF5Group

  /// Opens the file at `path`, which is mapped, not loaded. It must not be shortened while any value that came
  /// from it lives.
  public init(path: String) throws(HDF5Error) {
    let storage: TensorStorage
    do {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw HDF5Error(error.code == .missing ? .missing : .inaccessible, file: path, error.message)
    }
    do {
      try self.init(storage)
    } catch {
      throw HDF5Error(error.code, file: path, object: error.object, error.message)
    }
  }

  /// Opens a file that is in memory, or a part of another file: a member of a `.keras` archive.
  public init(_ storage: TensorStorage, range: Range<Int>? = nil) throws(HDF5Error) {
    let superblock = try Superblock(storage, range ?? 0..<storage.bytes.count)
    let object = try StoredObject(superblock)
    guard case .group(let group) = try object.opened() else {
      throw HDF5Error(.malformed, object: "/", "is not a group")
    }
    root = group
  }

  /// Whether these are the bytes of an HDF5 file, judged by its signature.
  public static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    Superblock.find(in: bytes) != nil
  }
}
