import CZlib
import SepalTensor

/// A zip archive: stored and deflated members, with or without the 64-bit extensions.
///
/// Nothing is inflated that the archive does not justify: a member is at most 1032 times its compressed size
/// (the limit of deflate) and, like all of them together, at most `inflationLimit`.
struct ZipArchive {
  struct Member {
    var name: String
    var method: Int
    var crc32: UInt32
    var compressedSize: Int
    var size: Int
    var headerOffset: Int
    var flags: Int
  }

  private let storage: TensorStorage
  private(set) var members: [Member] = []

  static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 4 && bytes[0] == 0x50 && bytes[1] == 0x4B && (bytes[2] == 3 || bytes[2] == 5)
  }

  init(_ storage: TensorStorage) throws(NumpyError) {
    self.storage = storage
    var cursor = try directoryStart()
    var inflated = 0
    for _ in 0..<cursor.count {
      try cursor.check(46, in: storage.bytes.count)
      guard number(cursor.offset, 4) == 0x0201_4B50 else { throw Self.broken("a broken directory") }
      let base = cursor.offset
      let (nameLength, extraLength, commentLength) = (
        number(base + 28, 2), number(base + 30, 2), number(base + 32, 2)
      )
      try cursor.check(46 + nameLength + extraLength + commentLength, in: storage.bytes.count)
      let nameBytes = storage.bytes[base + 46..<base + 46 + nameLength]
      var member = Member(
        name: String(decoding: nameBytes, as: UTF8.self), method: number(base + 10, 2),
        crc32: UInt32(number(base + 16, 4)), compressedSize: number(base + 20, 4), size: number(base + 24, 4),
        headerOffset: number(base + 42, 4), flags: number(base + 8, 2))
      try readExtra(base + 46 + nameLength, extraLength, &member)
      inflated += member.size
      guard member.compressedSize <= storage.bytes.count, member.headerOffset <= storage.bytes.count,
        member.size / 1032 <= member.compressedSize, inflated <= Self.inflationLimit(storage.bytes.count)
      else { throw Self.broken("a member '\(member.name)' of an impossible size") }
      members.append(member)
      cursor.offset += 46 + nameLength + extraLength + commentLength
    }
  }

  private static func inflationLimit(_ fileSize: Int) -> Int { 64 << 20 + 100 * fileSize }

  private static func broken(_ what: String) -> NumpyError { NumpyError(.malformed, "has \(what)") }

  private struct Cursor {
    var offset: Int
    var count: Int

    func check(_ size: Int, in total: Int) throws(NumpyError) {
      guard offset >= 0, offset <= total, size <= total - offset else {
        throw ZipArchive.broken("a directory that is cut off")
      }
    }
  }

  /// Follows the end record (and its 64-bit form) to the directory.
  private func directoryStart() throws(NumpyError) -> Cursor {
    let total = storage.bytes.count
    guard total >= 22 else { throw Self.broken("no end record: it is cut off") }
    var end = total - 22
    while number(end, 4) != 0x0605_4B50 {
      end -= 1
      guard end >= 0, total - end <= 22 + 0xFFFF else { throw Self.broken("no end record: it is cut off") }
    }
    var cursor = Cursor(offset: number(end + 16, 4), count: number(end + 10, 2))
    if end >= 20, number(end - 20, 4) == 0x0706_4B50 {
      let record = number(end - 12, 8)
      guard record >= 0, record <= total - 56, number(record, 4) == 0x0606_4B50 else {
        throw Self.broken("a broken 64-bit end record")
      }
      cursor = Cursor(offset: number(record + 48, 8), count: number(record + 32, 8))
    }
    guard cursor.count >= 0, cursor.count <= total / 46 else {
      throw Self.broken("an impossible member count")
    }
    return cursor
  }

  /// The extra field 1 holds, as 64-bit numbers, what did not fit its 32 bits.
  private func readExtra(_ start: Int, _ length: Int, _ member: inout Member) throws(NumpyError) {
    var position = start
    let end = start + length
    while position + 4 <= end {
      let (tag, size) = (number(position, 2), number(position + 2, 2))
      var field = position + 4
      position = field + size
      guard position <= end else { throw Self.broken("a broken extra field") }
      guard tag == 1 else { continue }
      for path in [\Member.size, \.compressedSize, \.headerOffset] where member[keyPath: path] == 0xFFFF_FFFF
      {
        guard field + 8 <= position, number(field, 8) >= 0 else { throw Self.broken("a broken extra field") }
        member[keyPath: path] = number(field, 8)
        field += 8
      }
    }
  }

  /// The member's bytes, in place where they are stored as they are.
  func contents(of member: Member) throws(NumpyError) -> (TensorStorage, Range<Int>) {
    let total = storage.bytes.count
    guard member.flags & 1 == 0 else { throw NumpyError(.unsupported, "is encrypted") }
    guard member.headerOffset <= total - 30, number(member.headerOffset, 4) == 0x0403_4B50 else {
      throw Self.broken("a broken member header")
    }
    let start =
      member.headerOffset + 30 + number(member.headerOffset + 26, 2) + number(member.headerOffset + 28, 2)
    guard start <= total, member.compressedSize <= total - start else {
      throw Self.broken("a cut-off member")
    }
    let stored = UnsafeRawBufferPointer(rebasing: storage.bytes[start..<start + member.compressedSize])
    switch member.method {
    case 0:
      guard member.size == member.compressedSize else { throw Self.broken("a member with two sizes") }
      try check(stored, member)
      return (storage, start..<start + member.size)
    case 8:
      let inflated = try TensorStorage(byteCount: member.size) { (target) throws(NumpyError) in
        guard Self.inflate(stored, into: target) else { throw Self.broken("a member that does not inflate") }
      }
      try check(inflated.bytes, member)
      return (inflated, 0..<member.size)
    default:
      throw NumpyError(.unsupported, "is compressed by method \(member.method), expected deflate")
    }
  }

  private func check(_ bytes: UnsafeRawBufferPointer, _ member: Member) throws(NumpyError) {
    let sum = crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    guard UInt32(truncatingIfNeeded: sum) == member.crc32 else {
      throw Self.broken("a member that does not match its checksum")
    }
  }

  /// A raw deflate stream that ends exactly where `target` does. Streams of any length, in pieces.
  private static func inflate(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      return false
    }
    defer { inflateEnd(&stream) }
    var (consumed, produced) = (0, 0)
    var spare: UInt8 = 0
    while true {
      let input = min(bytes.count - consumed, 1 << 30)
      let output = min(target.count - produced, 1 << 30)
      stream.next_in = UnsafeMutablePointer(
        mutating: (bytes.baseAddress.map { $0 + consumed })?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = uInt(input)
      let status = withUnsafeMutablePointer(to: &spare) { spare in
        stream.next_out =
          output == 0
          ? spare : (target.baseAddress.map { $0 + produced })?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = uInt(output)
        return CZlib.inflate(&stream, Z_NO_FLUSH)
      }
      consumed += input - Int(stream.avail_in)
      produced += output - Int(stream.avail_out)
      if status == Z_STREAM_END { return produced == target.count }
      guard status == Z_OK, input > 0, output > 0 else { return false }
    }
  }

  /// A little-endian number of `size` bytes, which the caller has made sure are there.
  private func number(_ offset: Int, _ size: Int) -> Int {
    (0..<size).reduce(0) {
      $0 | Int(truncatingIfNeeded: UInt64(storage.bytes[offset + $1]) << UInt64(8 * $1))
    }
  }
}
