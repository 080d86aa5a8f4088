import CProtobufC

/// Checks one message against its schema and rewrites it into a form that protobuf-c can unpack safely.
///
/// protobuf-c recurses on nesting, allocates for every element before it knows what that costs, and copies
/// every payload. After a scan none of that can hurt: nesting is bounded, every tag, number and length is
/// valid, fields outside the schema are gone, what unpacking will allocate is known exactly, and tensor
/// payloads are replaced by their positions in the file. Time is linear in the structure; payload bytes of
/// fixed-width elements are not touched.
package struct WireScanner {
  /// The deepest nesting of messages, the model itself included.
  package static let maximumDepth = 64

  private let bytes: UnsafeRawBufferPointer
  private let payloadRule: PayloadRule?
  private var allowance = 0

  /// The rewritten message.
  package private(set) var output: [UInt8] = []
  /// What protobuf-c allocates for it, in blocks of `UnpackArena.alignment`.
  package private(set) var unpackedBytes = 0
  /// The payload of each message that has one. The rule's token field holds the index into this list, as
  /// four bytes.
  package private(set) var payloads: [[PayloadPiece]] = []

  package init(_ bytes: UnsafeRawBufferPointer, payloads rule: PayloadRule? = nil) {
    self.bytes = bytes
    payloadRule = rule
  }

  /// Replaces `output`, `unpackedBytes` and `payloads` by those of the message in `range`. `allowance` is
  /// the memory that all three may take.
  package mutating func scan(
    _ range: Range<Int>, as schema: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int, allowance: Int
  ) throws(WireError) {
    self.allowance = allowance
    output.removeAll(keepingCapacity: true)
    payloads.removeAll(keepingCapacity: true)
    unpackedBytes = 0
    try message(range, schema, depth)
  }

  private mutating func message(
    _ range: Range<Int>, _ schema: UnsafePointer<ProtobufCMessageDescriptor>, _ depth: Int
  ) throws(WireError) {
    guard depth <= Self.maximumDepth else {
      throw WireError(
        code: .limit, message: "messages nested deeper than \(Self.maximumDepth)", offset: range.lowerBound)
    }
    // Each repeated field rounds up its own array.
    try allocate(schema.pointee.sizeof_message, at: range.lowerBound)
    try allocate(Int(schema.pointee.n_fields) * UnpackArena.alignment, at: range.lowerBound)
    var seen: UInt64 = 0
    var memberCount = 0
    var pieces: [PayloadPiece] = []
    var cursor = WireCursor(bytes, range, schema: schema)
    while let field = try cursor.next() {
      if let rule = payloadRule, schema == rule.schema, rule.fields.contains(field.number) {
        try add(field, isToken: field.number == rule.token, to: &pieces)
        continue
      }
      if field.isMessage, !field.isRepeated {
        // protobuf-c merges repetitions, at a cost that grows with their square.
        let bit: UInt64 = 1 << UInt64(field.number & 63)
        guard seen & bit == 0 else {
          throw WireError(code: .malformed, message: "'\(field.name)' occurs twice", offset: field.start)
        }
        seen |= bit
      }
      memberCount += 1
      try copy(field, depth)
    }
    if let rule = payloadRule, !pieces.isEmpty {
      appendTag(rule.token, .lengthDelimited)
      output.append(4)
      withUnsafeBytes(of: UInt32(payloads.count).littleEndian) { output.append(contentsOf: $0) }
      payloads.append(pieces)
      memberCount += 1
      try allocate(4, at: range.lowerBound)
    }
    try allocateMemberList(memberCount, at: range.lowerBound)
  }

  private mutating func copy(_ field: WireField, _ depth: Int) throws(WireError) {
    let type = field.descriptor.pointee
    if field.wireType != type.wireType {
      try copyPacked(field)
    } else if field.isMessage {
      if field.isRepeated { try allocate(MemoryLayout<UnsafeRawPointer>.size, at: field.start) }
      appendTag(field.number, .lengthDelimited)
      let lengthStart = output.count
      output.append(contentsOf: [0, 0, 0, 0, 0])
      try message(field.value, UnsafePointer(OpaquePointer(type.descriptor)), depth + 1)
      try setLength(at: lengthStart, field.start)
    } else if field.wireType == .lengthDelimited {
      if type.type == PROTOBUF_C_TYPE_STRING, bytes[field.value].contains(0) {
        throw WireError(
          code: .malformed, message: "'\(field.name)' contains a NUL character", offset: field.start)
      }
      if field.isRepeated { try allocate(MemoryLayout<ProtobufCBinaryData>.size, at: field.start) }
      try allocate(field.value.count + 1, at: field.start)
      appendTag(field.number, .lengthDelimited)
      appendVarint(UInt64(field.value.count))
      appendBytes(field.value)
    } else {
      if field.isRepeated { try allocate(type.elementSize, exactly: 1, at: field.start) }
      appendTag(field.number, field.wireType)
      appendBytes(field.value)
    }
  }

  /// A list of numbers in one run.
  private mutating func copyPacked(_ field: WireField) throws(WireError) {
    let type = field.descriptor.pointee
    let count: Int
    switch type.wireType {
    case .varint:
      count = try checkVarints(field, field.value)
    case .fixed32, .fixed64:
      guard field.value.count % type.elementSize == 0 else {
        throw WireError(
          code: .malformed, message: "'\(field.name)' ends inside an element", offset: field.start)
      }
      count = field.value.count / type.elementSize
    case .lengthDelimited:
      throw WireError(code: .malformed, message: "'\(field.name)' cannot be packed", offset: field.start)
    }
    try allocate(type.elementSize, exactly: count, at: field.start)
    appendTag(field.number, .lengthDelimited)
    appendVarint(UInt64(field.value.count))
    appendBytes(field.value)
  }

  private func checkVarints(_ field: WireField, _ range: Range<Int>) throws(WireError) -> Int {
    var position = range.lowerBound
    var count = 0
    while position < range.upperBound {
      let start = position
      guard bytes.varint(at: &position, end: range.upperBound) != nil else {
        throw WireError(code: .malformed, message: "a broken number in '\(field.name)'", offset: start)
      }
      count += 1
    }
    return count
  }

  /// Leaves a tensor's payload where it is and remembers the place.
  private mutating func add(
    _ field: WireField, isToken: Bool, to pieces: inout [PayloadPiece]
  ) throws(WireError) {
    let type = field.descriptor.pointee
    let tagged = field.wireType != .lengthDelimited && field.value.lowerBound - field.start == 1
    let start = tagged ? field.start : field.value.lowerBound
    if tagged, let last = pieces.last, last.tagged, last.number == field.number,
      last.start + last.count == start
    {
      pieces[pieces.count - 1].count += field.value.upperBound - start
      return
    }
    if !isToken {
      if field.value.isEmpty { return }
      if field.wireType == .lengthDelimited, type.wireType == .varint {
        _ = try checkVarints(field, field.value)
      }
    }
    try allocate(2 * MemoryLayout<PayloadPiece>.stride, at: field.start)
    pieces.append(
      PayloadPiece(number: field.number, start: start, count: field.value.upperBound - start, tagged: tagged))
  }

  /// protobuf-c lists the members of a message before it parses them: the first 16 on the stack, the rest in
  /// blocks of doubling size.
  private mutating func allocateMemberList(_ count: Int, at offset: Int) throws(WireError) {
    var listed = 16
    var block = 32
    while listed < count {
      try allocate(block * 32, at: offset)
      listed += block
      block *= 2
    }
  }

  private mutating func allocate(_ size: Int, at offset: Int) throws(WireError) {
    let aligned = (size + UnpackArena.alignment - 1) & ~(UnpackArena.alignment - 1)
    try allocate(aligned, exactly: 1, at: offset)
  }

  private mutating func allocate(_ size: Int, exactly count: Int, at offset: Int) throws(WireError) {
    // `count` is at most the number of bytes in the file and `size` a small constant or such a number.
    unpackedBytes += size * count
    guard unpackedBytes + output.count <= allowance else {
      throw WireError(
        code: .limit, message: "more elements than the size of the file justifies", offset: offset)
    }
  }

  private mutating func appendBytes(_ range: Range<Int>) {
    // Rebased, because a slice is copied byte by byte.
    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  private mutating func appendTag(_ number: UInt32, _ wireType: WireType) {
    appendVarint(UInt64(number) << 3 | wireType.rawValue)
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Fills in the length of a nested message, in the five bytes that were kept free for it.
  private mutating func setLength(at start: Int, _ offset: Int) throws(WireError) {
    let length = output.count - start - 5
    guard length <= Int(Int32.max) else {
      throw WireError(code: .limit, message: "a message of more than 2 GB", offset: offset)
    }
    for index in 0..<5 {
      output[start + index] = UInt8(truncatingIfNeeded: length >> (7 * index)) & 0x7F | (index < 4 ? 0x80 : 0)
    }
  }
}

extension ProtobufCFieldDescriptor {
  /// Bytes per element of an unpacked list of numbers.
  fileprivate var elementSize: Int {
    switch type {
    case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32,
      PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_ENUM, PROTOBUF_C_TYPE_BOOL:
      4
    default: 8
    }
  }
}
