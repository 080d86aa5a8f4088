/// The fixed parts of the file. `schemas/FORMAT.md` is the normative text.
enum Layout {
  static let magic: [UInt8] = [0x89, 0x53, 0x45, 0x50, 0x41, 0x4C, 0x0A, 0x1A]
  static let majorVersion: UInt16 = 1
  static let minorVersion: UInt16 = 0
  static let headerSize = 64
  static let tableEntrySize = 64
  /// Sections, and constants that are used in place, start at multiples of this.
  static let alignment = 64
  static let maximumSections = 64
  /// A deflated section is at most this long before deflation; longer ones are stored as they are. Readers need not
  /// believe in lengths that the file does not justify, and only graphs of many thousand nodes are that long.
  static let maximumInflatedLength: UInt64 = 1 << 20
}

enum SectionType: UInt32, CaseIterable {
  case graph = 1
  case weights = 2
  case origins = 3
  case rewrites = 4
  case golden = 5

  var name: String {
    switch self {
    case .graph: "GRAPH"
    case .weights: "WEIGHTS"
    case .origins: "ORIGINS"
    case .rewrites: "REWRITES"
    case .golden: "GOLDEN"
    }
  }
}

enum SectionCodec: UInt32 {
  case none = 0
  case deflate = 1
}

struct SectionFlags: OptionSet {
  let rawValue: UInt32
  /// A reader that does not know the section's type must refuse the file.
  static let critical = SectionFlags(rawValue: 1)
  /// The section's items carry their own checksums; its own is zero.
  static let itemChecksums = SectionFlags(rawValue: 2)
}

/// How a constant's elements are stored.
enum TensorCodec: UInt32 {
  /// The elements as they are.
  case raw = 0
  /// Byte planes, each deflated where that pays.
  case planes = 1
  /// float32 elements rounded to binary16.
  case half = 2
}

/// One entry of the section table.
struct Section {
  var type: UInt32
  var codec: UInt32
  var offset: UInt64
  var storedLength: UInt64
  var rawLength: UInt64
  var crc32: UInt32
  var flags: SectionFlags

  var range: Range<Int> { Int(offset)..<Int(offset + storedLength) }
}

/// Appends little-endian fields.
struct FieldWriter {
  var bytes: [UInt8] = []

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func pad(to count: Int) {
    bytes.append(contentsOf: [UInt8](repeating: 0, count: count - bytes.count))
  }
}

/// Reads little-endian fields of a part whose size has been checked.
struct FieldReader {
  let bytes: UnsafeRawBufferPointer
  var position: Int

  mutating func next<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
    defer { position += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }
}

/// Why a file is not a legal `.sepal` file, or could not be written.
public struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// No such file.
    case missing
    /// The system refused to read or write.
    case inaccessible
    /// Not a `.sepal` file at all.
    case notSepal
    /// A newer version or an unknown critical part.
    case unsupported
    /// Broken, truncated, inconsistent.
    case malformed
    /// A checksum does not match.
    case corrupt
  }

  public var code: Code
  public var path: String
  public var message: String

  public init(_ code: Code, path: String = "", _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
