import SepalTensor

/// Bytes that structures are read from, and how wide their addresses and lengths are: the file from its address 0 on,
/// or a block of it that was compressed.
final class FileBytes: Sendable {
  let storage: TensorStorage
  /// Where address 0 is in `storage`.
  let origin: Int
  /// Bytes from there on.
  let count: Int
  /// Bytes of an address: 2, 4 or 8.
  let offsetSize: Int
  /// Bytes of a length: 2, 4 or 8.
  let lengthSize: Int

  init(_ storage: TensorStorage, _ range: Range<Int>, offsetSize: Int, lengthSize: Int) {
    self.storage = storage
    origin = range.lowerBound
    count = range.count
    self.offsetSize = offsetSize
    self.lengthSize = lengthSize
  }

  /// The bytes of a range that `range(at:count:of:)` has checked. Valid while this object lives.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: storage.bytes[origin + range.lowerBound..<origin + range.upperBound])
  }

  /// `count` bytes at `address`, if they are there.
  func range(at address: Int, count: Int, of subject: StaticString) throws(HDF5Error) -> Range<Int> {
    guard address >= 0, count >= 0, address <= self.count, count <= self.count - address else {
      throw HDF5Error(
        .malformed,
        "has \(subject) of \(count) bytes at \(address), beyond the \(self.count) bytes of the file")
    }
    return address..<address + count
  }

  func cursor(at address: Int, of subject: StaticString) throws(HDF5Error) -> Cursor {
    let start = try range(at: address, count: 0, of: subject).lowerBound
    return Cursor(self, start..<count, subject)
  }
}

/// A checked range of bytes.
struct Extent: Sendable {
  let file: FileBytes
  let range: Range<Int>

  /// Valid while `file` lives.
  var bytes: UnsafeRawBufferPointer { file.bytes(range) }

  func prefix(_ count: Int) -> Extent { Extent(file: file, range: range.prefix(count)) }
}
