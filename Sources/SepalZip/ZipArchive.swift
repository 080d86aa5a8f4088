import SepalTensor

/// A zip archive in memory: stored and deflated members, with or without the 64-bit extensions.
///
/// Everything that could be read in two ways is refused when the archive is opened: names that occur twice,
/// members whose own header disagrees with the directory, members that share bytes. So what members inflate
/// to is at most `Limits.ratio` times the archive. Nothing is inflated before it is asked for.
package struct ZipArchive: Sendable {
  package struct Member: Sendable {
    package fileprivate(set) var name: String
    package fileprivate(set) var compressedSize: Int
    /// Inflated.
    package fileprivate(set) var size: Int
    fileprivate var method: Int
    fileprivate var flags: Int
    fileprivate var crc32: UInt32
    fileprivate var headerOffset: Int
    /// Where its bytes start.
    fileprivate var start = 0
  }

  /// What an archive may hold.
  package struct Limits: Sendable {
    /// A member inflates to at most this many times its compressed bytes.
    package var ratio = 100
    /// Inflated bytes of one member.
    package var memberSize = 4 << 30
    /// Inflated bytes of all members.
    package var totalSize = Int.max
    /// Whether names may leave a folder they would be unpacked to: absolute ones, drives, '..'.
    /// Nothing is unpacked here; they are a sign of an archive that was made to be misread.
    package var allowsOutsideNames = false

    /// No deflate stream inflates to more than this many times its length.
    package static let maximumRatio = 1032

    package init() {}
  }

  /// In the directory's order.
  package private(set) var members: [Member] = []
  private var indices: [String: Int] = [:]
  private let storage: TensorStorage
  private let range: Range<Int>
  private let limits: Limits

  /// Whether the first bytes are those of an archive.
  package static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 4 && bytes[0] == 0x50 && bytes[1] == 0x4B
      && (bytes[2] == 3 && bytes[3] == 4 || bytes[2] == 5 && bytes[3] == 6)
  }

  /// Reads the directory of the archive that is all of `range`, or of `storage` without one.
  package init(
    _ storage: TensorStorage, range: Range<Int>? = nil, limits: Limits = Limits()
  ) throws(ZipError) {
    self.storage = storage
    self.range = range ?? 0..<storage.bytes.count
    self.limits = limits
    let bytes = LittleEndianBytes(UnsafeRawBufferPointer(rebasing: storage.bytes[self.range]))
    let directory = try ZipDirectory(bytes)
    var offset = directory.range.lowerBound
    var total = 0
    for _ in 0..<directory.count {
      var member = try Self.readEntry(bytes, &offset, end: directory.range.upperBound)
      try Self.readLocalHeader(bytes, &member, end: directory.range.lowerBound)
      try check(member, &total)
      guard indices.updateValue(members.count, forKey: member.name) == nil else {
        throw ZipError(.malformed, "has two members named '\(member.name)'")
      }
      members.append(member)
    }
    guard offset == directory.range.upperBound else {
      throw ZipError(.malformed, "has a directory whose entries do not fill it")
    }
    try checkDisjoint()
  }

  package subscript(name: String) -> Member? { indices[name].map { members[$0] } }

  /// The member's bytes, in place where they are stored as they are, and where they are in that storage.
  package func contents(of member: Member) throws(ZipError) -> (TensorStorage, Range<Int>) {
    do {
      return try uncheckedContents(of: member)
    } catch {
      throw ZipError(error.code, member: member.name, error.message)
    }
  }

  private func uncheckedContents(of member: Member) throws(ZipError) -> (TensorStorage, Range<Int>) {
    // Encrypted, strongly encrypted, encrypted directory.
    guard member.flags & 0x2041 == 0 else { throw ZipError(.unsupported, "is encrypted") }
    let start = range.lowerBound + member.start
    let stored = start..<start + member.compressedSize
    switch member.method {
    case 0:
      guard member.size == member.compressedSize else { throw ZipError(.malformed, "has two sizes") }
      try check(UnsafeRawBufferPointer(rebasing: storage.bytes[stored]), member)
      return (storage, stored)
    case 8:
      let inflated = try TensorStorage(byteCount: member.size) { (target) throws(ZipError) in
        try Zlib.inflate(UnsafeRawBufferPointer(rebasing: storage.bytes[stored]), .raw, into: target)
      }
      try check(inflated.bytes, member)
      return (inflated, 0..<member.size)
    default:
      throw ZipError(.unsupported, "is compressed by method \(member.method), expected deflate")
    }
  }

  private func check(_ bytes: UnsafeRawBufferPointer, _ member: Member) throws(ZipError) {
    guard Checksum.matches(Zlib.crc32(bytes), member.crc32) else {
      throw ZipError(.malformed, "does not match its checksum")
    }
  }
}

extension ZipArchive {
  /// One entry of the directory, at `offset`, which moves behind it.
  private static func readEntry(
    _ bytes: LittleEndianBytes, _ offset: inout Int, end: Int
  ) throws(ZipError) -> Member {
    let base = offset
    guard base <= end - 46, bytes.number(base, 4) == 0x0201_4B50 else {
      throw ZipError(.malformed, "has a broken directory")
    }
    let (nameLength, extraLength) = (bytes.number(base + 28, 2), bytes.number(base + 30, 2))
    offset = base + 46 + nameLength + extraLength + bytes.number(base + 32, 2)
    guard offset <= end else { throw ZipError(.malformed, "has a directory that is cut off") }
    let name = base + 46..<base + 46 + nameLength
    var member = Member(
      name: String(decoding: bytes[name], as: UTF8.self), compressedSize: bytes.number(base + 20, 4),
      size: bytes.number(base + 24, 4), method: bytes.number(base + 10, 2),
      flags: bytes.number(base + 8, 2), crc32: UInt32(truncatingIfNeeded: bytes.number(base + 16, 4)),
      headerOffset: bytes.number(base + 42, 4))
    try readExtra(bytes, name.upperBound..<name.upperBound + extraLength, &member)
    return member
  }

  /// The extra field 1 holds, as 64-bit numbers, what did not fit its 32 bits.
  private static func readExtra(
    _ bytes: LittleEndianBytes, _ range: Range<Int>, _ member: inout Member
  ) throws(ZipError) {
    let broken = ZipError(.malformed, member: member.name, "has a broken extra field")
    var position = range.lowerBound
    while position + 4 <= range.upperBound {
      let (tag, size) = (bytes.number(position, 2), bytes.number(position + 2, 2))
      var field = position + 4
      position = field + size
      guard position <= range.upperBound else { throw broken }
      guard tag == 1 else { continue }
      for path in [\Member.size, \.compressedSize, \.headerOffset] where member[keyPath: path] == 0xFFFF_FFFF
      {
        guard field + 8 <= position, bytes.number(field, 8) >= 0 else { throw broken }
        member[keyPath: path] = bytes.number(field, 8)
        field += 8
      }
    }
  }

  /// Checks the header before the member's bytes against the directory and finds where these start.
  /// - Parameter end: where the directory starts.
  private static func readLocalHeader(
    _ bytes: LittleEndianBytes, _ member: inout Member, end: Int
  ) throws(ZipError) {
    let base = member.headerOffset
    guard base <= end - 30, bytes.number(base, 4) == 0x0403_4B50 else {
      throw ZipError(.malformed, member: member.name, "has a broken header")
    }
    let name = base + 30..<base + 30 + bytes.number(base + 26, 2)
    member.start = name.upperBound + bytes.number(base + 28, 2)
    guard member.start <= end, member.compressedSize <= end - member.start else {
      throw ZipError(.malformed, member: member.name, "reaches beyond the members' part of the archive")
    }
    guard member.name.utf8.elementsEqual(String(decoding: bytes[name], as: UTF8.self).utf8),
      bytes.number(base + 8, 2) == member.method, (bytes.number(base + 6, 2) ^ member.flags) & 1 == 0
    else {
      throw ZipError(.malformed, member: member.name, "has a header that disagrees with the directory")
    }
  }

  /// Checks a member that is known to be inside the archive.
  private func check(_ member: Member, _ total: inout Int) throws(ZipError) {
    let name = member.name
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw ZipError(.malformed, "has a member with an empty name or a zero byte in its name")
    }
    guard limits.allowsOutsideNames || Self.staysInside(name) else {
      throw ZipError(.malformed, member: name, "has a name that leads outside of the archive")
    }
    guard member.size <= limits.ratio * member.compressedSize else {
      throw ZipError(
        .limit, member: name,
        "inflates to \(member.size) bytes, more than \(limits.ratio) times its \(member.compressedSize)")
    }
    guard member.size <= limits.memberSize else {
      throw ZipError(
        .limit, member: name, "inflates to \(member.size) bytes, more than \(limits.memberSize)")
    }
    guard member.size <= limits.totalSize - total else {
      throw ZipError(.limit, "has members that inflate to more than \(limits.totalSize) bytes together")
    }
    total += member.size
  }

  private static func staysInside(_ name: String) -> Bool {
    let parts = name.utf8.split(omittingEmptySubsequences: false) {
      $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\")
    }
    guard let first = parts.first, !first.isEmpty, !first.contains(UInt8(ascii: ":")) else { return false }
    return !parts.contains { $0.elementsEqual("..".utf8) }
  }

  private func checkDisjoint() throws(ZipError) {
    let sorted = members.sorted { $0.headerOffset < $1.headerOffset }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where first.start + first.compressedSize > second.headerOffset {
      throw ZipError(.malformed, "has members that share bytes: '\(first.name)' and '\(second.name)'")
    }
  }
}
