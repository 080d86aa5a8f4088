/// Where the directory of an archive is, by the end record and its 64-bit form.
struct ZipDirectory {
  /// Checked to be inside the archive, before the end record.
  let range: Range<Int>
  /// Entries; not more than fit the range.
  let count: Int

  init(_ bytes: LittleEndianBytes) throws(ZipError) {
    var end = try Self.findEnd(bytes)
    var disks = [bytes.number(end + 4, 2), bytes.number(end + 6, 2)]
    var counts = [bytes.number(end + 8, 2), bytes.number(end + 10, 2)]
    var (size, offset) = (bytes.number(end + 12, 4), bytes.number(end + 16, 4))
    if counts[1] == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF,
      end >= 20, bytes.number(end - 20, 4) == 0x0706_4B50
    {
      let record = bytes.number(end - 12, 8)
      guard record >= 0, record <= end - 20 - 56, bytes.number(record, 4) == 0x0606_4B50 else {
        throw ZipError(.malformed, "has a broken 64-bit end record")
      }
      disks = [bytes.number(record + 16, 4), bytes.number(record + 20, 4)]
      counts = [bytes.number(record + 24, 8), bytes.number(record + 32, 8)]
      (size, offset) = (bytes.number(record + 40, 8), bytes.number(record + 48, 8))
      end = record
    }
    guard disks == [0, 0], counts[0] == counts[1] else {
      throw ZipError(.unsupported, "is spread over several files")
    }
    guard size >= 0, offset >= 0, offset <= end, size <= end - offset else {
      throw ZipError(.malformed, "has a directory outside of the archive")
    }
    guard counts[1] >= 0, counts[1] <= size / 46 else {
      throw ZipError(.malformed, "has an impossible number of members")
    }
    range = offset..<offset + size
    count = counts[1]
  }

  /// The end record is last; only a comment follows, whose length it holds.
  private static func findEnd(_ bytes: LittleEndianBytes) throws(ZipError) -> Int {
    var end = bytes.count - 22
    while end >= 0, bytes.count - end <= 22 + 0xFFFF {
      if bytes.number(end, 4) == 0x0605_4B50, end + 22 + bytes.number(end + 20, 2) == bytes.count {
        return end
      }
      end -= 1
    }
    throw ZipError(.malformed, "has no end record: it is cut off")
  }
}

/// Little-endian numbers in bytes that a caller has made sure are there.
struct LittleEndianBytes {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var count: Int { bytes.count }

  subscript(range: Range<Int>) -> Slice<UnsafeRawBufferPointer> { bytes[range] }

  /// A number of at most eight bytes; of eight, it may be negative.
  func number(_ offset: Int, _ size: Int) -> Int {
    var result: UInt64 = 0
    for index in 0..<size { result |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    return Int(truncatingIfNeeded: result)
  }
}
