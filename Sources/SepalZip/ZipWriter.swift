import SepalTensor

/// Writes stored zip members one after the other, with 64-bit extensions only where a number needs them.
package struct ZipWriter {
  private let file: AtomicFile
  private var directory: [UInt8] = []
  private var count = 0
  private var needs64 = false

  package init(_ file: AtomicFile) { self.file = file }

  /// Adds a member; names must differ.
  package mutating func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    let offset = file.count
    let sum = Zlib.crc32(bytes)
    let large = bytes.count >= 0xFFFF_FFFF
    let far = offset >= 0xFFFF_FFFF
    needs64 = needs64 || large || far
    let size = large ? 0xFFFF_FFFF : bytes.count
    // Version, flags (UTF-8 names), method, time, date (1 January 1980: equal arrays give equal files).
    let common =
      field(large || far ? 45 : 20, 2) + field(0x800, 2) + field(0, 2) + field(0, 2) + field(0x21, 2)
      + field(Int(sum), 4) + field(size, 4) + field(size, 4) + field(name.utf8.count, 2)
    let sizes = large ? field(bytes.count, 8) + field(bytes.count, 8) : []
    let localExtra = sizes.isEmpty ? [] : field(1, 2) + field(sizes.count, 2) + sizes
    let position = far ? field(offset, 8) : []
    let central = sizes + position
    let centralExtra = central.isEmpty ? [] : field(1, 2) + field(central.count, 2) + central
    try file.write(
      field(0x0403_4B50, 4) + common + field(localExtra.count, 2) + Array(name.utf8) + localExtra)
    try file.write(bytes)
    directory += field(0x0201_4B50, 4) + field(45, 2) + common + field(centralExtra.count, 2)
    // No comment, disk 0, internal and external attributes.
    directory += field(0, 2) + field(0, 2) + field(0, 2) + field(0, 4) + field(far ? 0xFFFF_FFFF : offset, 4)
    directory += Array(name.utf8) + centralExtra
    count += 1
  }

  /// Writes the directory. The file is still to be committed.
  package mutating func finish() throws(FileError) {
    let start = file.count
    try file.write(directory)
    let large = needs64 || start >= 0xFFFF_FFFF || count >= 0xFFFF
    if large {
      let record = file.count
      try file.write(
        field(0x0606_4B50, 4) + field(44, 8) + field(45, 2) + field(45, 2) + field(0, 4) + field(0, 4)
          + field(count, 8) + field(count, 8) + field(directory.count, 8) + field(start, 8))
      try file.write(field(0x0706_4B50, 4) + field(0, 4) + field(record, 8) + field(1, 4))
    }
    let shown = large ? 0xFFFF : count
    try file.write(
      field(0x0605_4B50, 4) + field(0, 2) + field(0, 2) + field(shown, 2) + field(shown, 2)
        + field(large ? 0xFFFF_FFFF : directory.count, 4) + field(large ? 0xFFFF_FFFF : start, 4)
        + field(0, 2))
  }

  private func field(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
