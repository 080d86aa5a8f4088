import SepalTensor
import SepalZip

/// The checked header and section table of a file.
struct SectionTable {
  private var sections: [SectionType: Section] = [:]

  subscript(type: SectionType) -> Section? { sections[type] }

  init(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    guard SepalReader.recognizes(bytes) else { throw FormatError(.notSepal, "is not a .sepal file") }
    guard bytes.count >= Layout.headerSize else { throw FormatError(.malformed, "ends inside the header") }
    var reader = FieldReader(bytes: bytes, position: Layout.magic.count)
    let (major, minor) = (reader.next(UInt16.self), reader.next(UInt16.self))
    guard major == Layout.majorVersion else {
      throw FormatError(
        .unsupported, "has format version \(major).\(minor), expected \(Layout.majorVersion).x")
    }
    let flags = reader.next(UInt32.self)
    guard flags == 0 else { throw FormatError(.unsupported, "has unknown flags \(flags)") }
    let length = reader.next(UInt64.self)
    guard length == UInt64(bytes.count) else {
      throw FormatError(.malformed, "has \(bytes.count) bytes, its header says \(length)")
    }
    let offset = reader.next(UInt64.self)
    let count = Int(reader.next(UInt32.self))
    let checksum = reader.next(UInt32.self)
    guard bytes[reader.position..<Layout.headerSize].allSatisfy({ $0 == 0 }) else {
      throw FormatError(.malformed, "has a header with non-zero reserved bytes")
    }
    let size = UInt64(count * Layout.tableEntrySize)
    guard count <= Layout.maximumSections, offset >= UInt64(Layout.headerSize), offset <= length,
      size <= length - offset
    else { throw FormatError(.malformed, "has a section table outside of the file") }
    let table = Int(offset)..<Int(offset + size)
    guard Checksum.matches(Zlib.crc32(UnsafeRawBufferPointer(rebasing: bytes[table])), checksum) else {
      throw FormatError(.corrupt, "has a section table that does not match its checksum")
    }
    try readEntries(bytes, table)
  }

  private mutating func readEntries(
    _ bytes: UnsafeRawBufferPointer, _ table: Range<Int>
  ) throws(FormatError) {
    var used = [0..<Layout.headerSize, table].filter { !$0.isEmpty }
    for start in stride(from: table.lowerBound, to: table.upperBound, by: Layout.tableEntrySize) {
      var reader = FieldReader(bytes: bytes, position: start)
      let section = Section(
        type: reader.next(), codec: reader.next(), offset: reader.next(), storedLength: reader.next(),
        rawLength: reader.next(), crc32: reader.next(), flags: SectionFlags(rawValue: reader.next()))
      let name = SectionType(rawValue: section.type)?.name ?? "\(section.type)"
      guard section.offset <= UInt64(bytes.count),
        section.storedLength <= UInt64(bytes.count) - section.offset,
        section.offset % UInt64(Layout.alignment) == 0
      else { throw FormatError(.malformed, "has section \(name) outside of the file or misaligned") }
      if !section.range.isEmpty { used.append(section.range) }
      guard let type = SectionType(rawValue: section.type) else {
        if section.flags.contains(.critical) {
          throw FormatError(.unsupported, "has the unknown critical section \(name)")
        }
        continue
      }
      guard sections[type] == nil else { throw FormatError(.malformed, "has section \(name) twice") }
      sections[type] = section
    }
    used.sort { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(used, used.dropFirst()) where first.upperBound > second.lowerBound {
      throw FormatError(.malformed, "has overlapping sections")
    }
  }

  /// Decoded bytes of all known sections but the weights.
  var rawByteCount: Int {
    sections.reduce(0) { sum, entry in
      // More than the file holds is refused when the section is read.
      entry.key == .weights ? sum : sum + Int(min(entry.value.rawLength, 1 << 40))
    }
  }

  /// The checked, inflated bytes of a section.
  func contents(of section: Section, in storage: TensorStorage) throws(FormatError) -> TensorStorage {
    let name = SectionType(rawValue: section.type)?.name ?? "\(section.type)"
    let stored = UnsafeRawBufferPointer(rebasing: storage.bytes[section.range])
    guard Checksum.matches(Zlib.crc32(stored), section.crc32) else {
      throw FormatError(.corrupt, "has a section \(name) that does not match its checksum")
    }
    switch SectionCodec(rawValue: section.codec) {
    case .some(.none):
      guard section.rawLength == section.storedLength else {
        throw FormatError(.malformed, "has a section \(name) with two lengths")
      }
      return TensorStorage(viewing: stored, owner: storage)
    case .deflate:
      guard section.rawLength <= Layout.maximumInflatedLength else {
        throw FormatError(
          .malformed, "has a deflated section \(name) of more than \(Layout.maximumInflatedLength) bytes")
      }
      return try TensorStorage(byteCount: Int(section.rawLength)) { (target) throws(FormatError) in
        do throws(ZipError) {
          try Zlib.inflate(stored, .zlib, into: target)
        } catch {
          throw FormatError(.malformed, "has a section \(name) that \(error.message)")
        }
      }
    case nil:
      throw FormatError(.unsupported, "has a section \(name) with the unknown codec \(section.codec)")
    }
  }
}
