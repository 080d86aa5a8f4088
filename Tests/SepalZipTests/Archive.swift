import SepalTensor
import SepalZip

/// A zip archive built field by field, so that any of them can be wrong.
struct Archive {
  struct Member {
    var name: String
    /// As stored: compressed where `method` is 8.
    var bytes: [UInt8]
    var method = 0
    var size: Int?
    var flags = 0
    var checksum: UInt32?
    /// In the header before the bytes, where it differs.
    var localName: String?
    /// Sizes and offset as 64-bit extras.
    var isLarge = false
    /// Points at bytes that are already there.
    var offset: Int?
    /// Zeros between the header and the bytes, as an unknown extra field.
    var padding = 0
  }

  var members: [Member]
  var comment: [UInt8] = []
  var disk = 0
  /// What the end record says, where it differs.
  var count: Int?
  var directoryShift = 0
  var isLarge = false

  var bytes: [UInt8] {
    var body: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let size = member.size ?? member.bytes.count
      let sum = Int(member.checksum ?? Zlib.crc32(member.bytes))
      func common(_ length: Int) -> [UInt8] {
        Self.field(45, 2) + Self.field(member.flags, 2) + Self.field(member.method, 2) + Self.field(0, 4)
          + Self.field(sum, 4) + Self.field(member.isLarge ? 0xFFFF_FFFF : member.bytes.count, 4)
          + Self.field(member.isLarge ? 0xFFFF_FFFF : size, 4) + Self.field(length, 2)
      }
      let local = Array((member.localName ?? member.name).utf8)
      let sizes = Self.field(size, 8) + Self.field(member.bytes.count, 8)
      var localExtra = member.isLarge ? Self.field(1, 2) + Self.field(16, 2) + sizes : []
      if member.padding > 0 {
        localExtra += Self.field(0xD935, 2) + Self.field(member.padding, 2)
        localExtra += [UInt8](repeating: 0, count: member.padding)
      }
      let offset = member.offset ?? body.count
      if member.offset == nil {
        body += Self.field(0x0403_4B50, 4) + common(local.count) + Self.field(localExtra.count, 2) + local
        body += localExtra + member.bytes
      }
      let extra =
        member.isLarge ? Self.field(1, 2) + Self.field(24, 2) + sizes + Self.field(offset, 8) : []
      let name = Array(member.name.utf8)
      directory += Self.field(0x0201_4B50, 4) + Self.field(45, 2) + common(name.count)
      directory += Self.field(extra.count, 2) + Self.field(0, 2 + 2 + 2 + 4)
      directory += Self.field(member.isLarge ? 0xFFFF_FFFF : offset, 4) + name + extra
    }
    let start = body.count + directoryShift
    let count = self.count ?? members.count
    var end: [UInt8] = []
    if isLarge {
      end += Self.field(0x0606_4B50, 4) + Self.field(44, 8) + Self.field(45, 2) + Self.field(45, 2)
      end += Self.field(disk, 4) + Self.field(0, 4) + Self.field(count, 8) + Self.field(count, 8)
      end += Self.field(directory.count, 8) + Self.field(start, 8)
      end += Self.field(0x0706_4B50, 4) + Self.field(0, 4)
      end += Self.field(body.count + directory.count, 8) + Self.field(1, 4)
    }
    end += Self.field(0x0605_4B50, 4) + Self.field(isLarge ? 0 : disk, 2) + Self.field(0, 2)
    end += Self.field(isLarge ? 0xFFFF : count, 2) + Self.field(isLarge ? 0xFFFF : count, 2)
    end += Self.field(isLarge ? 0xFFFF_FFFF : directory.count, 4)
    end += Self.field(isLarge ? 0xFFFF_FFFF : start, 4) + Self.field(comment.count, 2)
    return body + directory + end + comment
  }

  func opened(limits: ZipArchive.Limits = .init()) throws(ZipError) -> ZipArchive {
    try ZipArchive(storage(bytes), limits: limits)
  }

  static func field(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}

func storage(_ bytes: some Collection<UInt8>) -> TensorStorage {
  TensorStorage(byteCount: bytes.count) { $0.copyBytes(from: bytes) }
}

extension ZipArchive {
  func bytes(_ name: String) throws -> [UInt8]? {
    guard let member = self[name] else { return nil }
    let (storage, range) = try contents(of: member)
    return withExtendedLifetime(storage) { Array(storage.bytes[range]) }
  }
}
