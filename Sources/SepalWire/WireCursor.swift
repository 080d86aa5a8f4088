import CProtobufC

/// What is wrong with the bytes of a message, and where in the file.
package struct WireError: Error {
  package enum Code: Sendable {
    /// The bytes do not follow the wire format or the schema.
    case malformed
    /// Deeper or larger than the limits allow.
    case limit
  }

  package var code: Code
  package var message: String
  /// Position in the bytes that were given.
  package var offset: Int
}

/// One field of a message that its schema declares, with the wire type that the schema demands.
package struct WireField {
  package var descriptor: UnsafePointer<ProtobufCFieldDescriptor>
  /// Where the tag starts.
  package var start: Int
  /// The value, without tag and length.
  package var value: Range<Int>
  package var wireType: WireType

  package var number: UInt32 { descriptor.pointee.id }
  package var isMessage: Bool { descriptor.pointee.type == PROTOBUF_C_TYPE_MESSAGE }
  package var isRepeated: Bool { descriptor.pointee.label == PROTOBUF_C_LABEL_REPEATED }
  package var name: String { String(cString: descriptor.pointee.name) }
}

package enum WireType: UInt64 {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case fixed32 = 5
}

/// Walks the fields of one message in the file, without going into nested ones. Every tag, number and length
/// is checked against the bytes that are there; fields that the schema lacks are passed over.
package struct WireCursor {
  private let bytes: UnsafeRawBufferPointer
  private let end: Int
  private let schema: UnsafePointer<ProtobufCMessageDescriptor>
  private var position: Int

  /// `range` lies in `bytes`.
  package init(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, schema: UnsafePointer<ProtobufCMessageDescriptor>
  ) {
    self.bytes = bytes
    self.end = range.upperBound
    self.position = range.lowerBound
    self.schema = schema
  }

  package mutating func next() throws(WireError) -> WireField? {
    while position < end {
      let start = position
      guard let tag = bytes.varint(at: &position, end: end) else { throw broken(start, "a cut-off tag") }
      guard tag >> 3 >= 1, tag >> 3 < 1 << 29 else { throw broken(start, "field number \(tag >> 3)") }
      guard let wireType = WireType(rawValue: tag & 7) else { throw broken(start, "wire type \(tag & 7)") }
      let value = try value(wireType, start)
      guard let field = protobuf_c_message_descriptor_get_field(schema, UInt32(tag >> 3)) else { continue }
      guard field.pointee.accepts(wireType) else {
        throw broken(start, "'\(String(cString: field.pointee.name))' with wire type \(tag & 7)")
      }
      return WireField(descriptor: field, start: start, value: value, wireType: wireType)
    }
    return nil
  }

  private mutating func value(_ wireType: WireType, _ start: Int) throws(WireError) -> Range<Int> {
    let valueStart: Int
    switch wireType {
    case .varint:
      valueStart = position
      guard bytes.varint(at: &position, end: end) != nil else { throw broken(start, "a cut-off number") }
    case .fixed64, .fixed32:
      valueStart = position
      let size = wireType == .fixed64 ? 8 : 4
      guard end - position >= size else { throw broken(start, "a cut-off number") }
      position += size
    case .lengthDelimited:
      guard let length = bytes.varint(at: &position, end: end) else {
        throw broken(start, "a cut-off length")
      }
      guard length <= UInt64(end - position) else {
        throw broken(start, "a length of \(length) where \(end - position) bytes are left")
      }
      valueStart = position
      position += Int(length)
    }
    return valueStart..<position
  }

  private func broken(_ offset: Int, _ what: String) -> WireError {
    WireError(
      code: .malformed, message: "\(what) in \(String(cString: schema.pointee.short_name))", offset: offset)
  }
}

extension UnsafeRawBufferPointer {
  /// A base-128 number of at most ten bytes; nil when it does not end before `end`. Bits beyond 64 are lost,
  /// as everywhere in the format.
  package func varint(at position: inout Int, end: Int) -> UInt64? {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while position < end, shift < 70 {
      let byte = self[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
      shift += 7
    }
    return nil
  }
}

extension ProtobufCFieldDescriptor {
  /// The wire type of a single value.
  var wireType: WireType {
    switch type {
    case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT: .fixed32
    case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE: .fixed64
    case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: .lengthDelimited
    default: .varint
    }
  }

  /// Lists of numbers may come packed or one by one, whichever the schema prefers.
  fileprivate func accepts(_ found: WireType) -> Bool {
    found == wireType || (label == PROTOBUF_C_LABEL_REPEATED && found == .lengthDelimited)
  }
}
