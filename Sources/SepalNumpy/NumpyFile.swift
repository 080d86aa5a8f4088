import SepalTensor
import SepalZip

/// Reads and writes numpy's `.npy` (one array) and `.npz` (a zip archive of them).
public enum NumpyFile {
  /// All arrays of an `.npz` file by member name without `.npy`, or the one array of an `.npy` file under "".
  public static func read(path: String) throws(NumpyError) -> [String: Tensor] {
    let storage: TensorStorage
    do {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw NumpyError(error.code == .missing ? .missing : .inaccessible, path: path, error.message)
    }
    do {
      return try read(storage)
    } catch {
      throw NumpyError(error.code, path: path, member: error.member, error.message)
    }
  }

  /// The same from memory.
  public static func read(_ storage: TensorStorage) throws(NumpyError) -> [String: Tensor] {
    guard ZipArchive.recognizes(storage.bytes) else {
      return ["": try NumpyArray.read(storage, in: 0..<storage.bytes.count)]
    }
    let archive = try openArchive(storage)
    var arrays: [String: Tensor] = [:]
    for member in archive.members where member.name.hasSuffix(".npy") {
      let name = String(member.name.dropLast(4))
      do throws(NumpyError) {
        let (contents, range) = try read(member, of: archive)
        arrays[name] = try NumpyArray.read(contents, in: range)
      } catch {
        throw NumpyError(error.code, member: name, error.message)
      }
    }
    return arrays
  }

  private static func openArchive(_ storage: TensorStorage) throws(NumpyError) -> ZipArchive {
    var limits = ZipArchive.Limits()
    // An array of zeros inflates as far as deflate goes; the members of a whole file do not.
    limits.ratio = ZipArchive.Limits.maximumRatio
    limits.totalSize = 64 << 20 + 100 * storage.bytes.count
    // Members are named after tensors, which may start with a '/'.
    limits.allowsOutsideNames = true
    do {
      return try ZipArchive(storage, limits: limits)
    } catch {
      throw NumpyError(error)
    }
  }

  private static func read(
    _ member: ZipArchive.Member, of archive: ZipArchive
  ) throws(NumpyError) -> (TensorStorage, Range<Int>) {
    do {
      return try archive.contents(of: member)
    } catch {
      throw NumpyError(error)
    }
  }

  /// Writes one array as `.npy`.
  public static func write(_ tensor: Tensor, to path: String) throws(NumpyError) {
    try commit(to: path) { (file) throws(FileError) in
      try NumpyArray.write(tensor) { (bytes) throws(FileError) in try file.write(bytes) }
    }
  }

  /// Writes arrays as `.npz` in the order given, uncompressed as `numpy.savez` does.
  public static func write(_ arrays: [(name: String, tensor: Tensor)], to path: String) throws(NumpyError) {
    try commit(to: path) { (file) throws(FileError) in
      var writer = ZipWriter(file)
      for (name, tensor) in arrays {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tensor.byteCount + 128)
        NumpyArray.write(tensor) { bytes.append(contentsOf: $0) }
        try writer.add("\(name).npy", bytes)
      }
      try writer.finish()
    }
  }

  private static func commit(
    to path: String, _ body: (AtomicFile) throws(FileError) -> Void
  ) throws(NumpyError) {
    do {
      let file = try AtomicFile(path: path)
      try body(file)
      try file.commit()
    } catch {
      throw NumpyError(error.code == .missing ? .missing : .inaccessible, path: path, error.message)
    }
  }
}
