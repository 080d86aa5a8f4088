import SepalZip

/// A `.sepal` file taken apart and put together again by the text of FORMAT.md, without the code under test.
struct FileParts {
  struct Part {
    var type: UInt32
    var flags: UInt32
    /// Decoded.
    var bytes: [UInt8]
  }

  var sections: [Part] = []

  init(_ file: [UInt8]) throws {
    func number(_ offset: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
    for index in 0..<number(32, 4) {
      let entry = number(24, 8) + 64 * index
      let start = number(entry + 8, 8)
      var bytes = Array(file[start..<start + number(entry + 16, 8)])
      if number(entry + 4, 4) == 1 {
        var inflated = [UInt8](repeating: 0, count: number(entry + 24, 8))
        try bytes.withUnsafeBytes { bytes in
          try inflated.withUnsafeMutableBytes { try Zlib.inflate(bytes, .zlib, into: $0) }
        }
        bytes = inflated
      }
      sections.append(
        Part(type: UInt32(number(entry, 4)), flags: UInt32(number(entry + 36, 4)), bytes: bytes))
    }
  }

  /// The file with every section stored as is and all checksums right.
  func joined() -> [UInt8] {
    func checksum(_ bytes: [UInt8]) -> UInt64 { UInt64(Zlib.crc32(bytes)) }
    func field(_ value: UInt64, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var body: [UInt8] = []
    var table: [UInt8] = []
    for section in sections {
      body += [UInt8](repeating: 0, count: (64 - body.count % 64) % 64)
      let sum = section.flags & 2 != 0 ? 0 : checksum(section.bytes)
      let count = UInt64(section.bytes.count)
      table += field(UInt64(section.type), 4) + field(0, 4) + field(UInt64(64 + body.count), 8)
      table += field(count, 8) + field(count, 8) + field(sum, 4) + field(UInt64(section.flags), 4)
      table += [UInt8](repeating: 0, count: 24)
      body += section.bytes
    }
    let offset = 64 + body.count
    var header: [UInt8] = [0x89, 0x53, 0x45, 0x50, 0x41, 0x4C, 0x0A, 0x1A, 1, 0, 0, 0, 0, 0, 0, 0]
    header += field(UInt64(offset + table.count), 8) + field(UInt64(offset), 8)
    header += field(UInt64(sections.count), 4) + field(checksum(table), 4)
    header += [UInt8](repeating: 0, count: 24)
    return header + body + table
  }
}
