/// What was done to every chunk before it was stored, in that order.
struct FilterPipeline: Sendable {
  enum Filter: Sendable, Hashable {
    case deflate
    /// Bytes of equal significance together, of elements of this size. It is 0 for strings of variable length, whose
    /// chunks HDF5 then leaves as they are.
    case shuffle(elementSize: Int)
    /// A checksum after the bytes.
    case fletcher32
  }

  var filters: [Filter] = []

  /// No filters.
  init() {}

  init(_ message: Cursor) throws(HDF5Error) {
    var cursor = message
    let version = try cursor.version(1...2)
    let count = try cursor.u8()
    if version == 1 { try cursor.skip(6) }
    var seen: Set<UInt16> = []
    for _ in 0..<count {
      let identifier = try cursor.u16()
      // Deflating twice would square how much a small file can stand for, and no writer does anything twice.
      guard seen.insert(identifier).inserted else { throw cursor.unsupported("with the same filter twice") }
      // Version 2 leaves out the names of the filters that HDF5 itself defines.
      let nameSize = version == 1 || identifier >= 256 ? Int(try cursor.u16()) : 0
      try cursor.skip(2)
      let valueCount = Int(try cursor.u16())
      let name = try cursor.name(nameSize)
      if version == 1 { try cursor.skip((8 - nameSize % 8) % 8) }
      var values: [UInt32] = []
      for _ in 0..<valueCount { values.append(try cursor.u32()) }
      if version == 1 && valueCount % 2 == 1 { try cursor.skip(4) }
      switch identifier {
      case 1: filters.append(.deflate)
      case 2:
        filters.append(.shuffle(elementSize: Int(values.first ?? 0)))
      case 3: filters.append(.fletcher32)
      default: throw cursor.unsupported("with the filter \(Self.name(of: identifier, name))")
      }
    }
  }

  private static func name(of identifier: UInt16, _ name: String) -> String {
    switch identifier {
    case 4: "szip"
    case 5: "nbit"
    case 6: "scale-offset"
    default: name.isEmpty ? "\(identifier)" : "\(name) (\(identifier))"
    }
  }
}
