/// The bytes of a protobuf message, built field by field.
struct MessageBytes {
  private(set) var bytes: [UInt8] = []

  /// A field of varint type; negative values take ten bytes, as the format asks for.
  mutating func int(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    let bits = value.bitPattern
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
    }
  }

  mutating func string(_ field: Int, _ value: String) {
    start(field, byteCount: value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }

  mutating func message(_ field: Int, _ value: MessageBytes) {
    start(field, byteCount: value.bytes.count)
    bytes.append(contentsOf: value.bytes)
  }

  /// Key and length of a field whose `byteCount` bytes come next, from wherever they are.
  mutating func start(_ field: Int, byteCount: Int) {
    key(field, wireType: 2)
    varint(UInt64(byteCount))
  }

  private mutating func key(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
