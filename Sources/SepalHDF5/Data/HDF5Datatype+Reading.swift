import SepalTensor

extension HDF5Datatype {
  /// Bytes of one element where it is stored.
  func storedSize(in file: FileBytes) -> Int {
    switch self {
    case .number(let element, _): element.size
    case .fixedString(let count, _): count
    case .variableString: 4 + file.offsetSize + 4
    }
  }

  /// Reads a datatype message.
  /// - Parameter opaque: what elements of no declared meaning, of this many bytes, are known to be.
  init(
    _ message: Cursor, opaque: (_ size: Int) throws(HDF5Error) -> ElementType? = { _ in nil }
  ) throws(HDF5Error) {
    var cursor = message
    let head = try cursor.u8()
    let version = head >> 4
    guard (1...5).contains(version) else { throw cursor.unsupported("of version \(version)") }
    let flags = UInt32(try cursor.unsigned(3))
    let size = try cursor.count(4)
    guard size > 0 else { throw cursor.malformed("of no bytes") }
    switch head & 0x0F {
    case 0: self = try Self.integer(&cursor, flags, size)
    case 1: self = try Self.float(&cursor, flags, size)
    case 3:
      guard let padding = Padding(rawValue: UInt8(flags & 0x0F)) else {
        throw cursor.malformed("with an unknown string padding")
      }
      self = .fixedString(byteCount: size, padding)
    case 5:
      guard let element = try opaque(size) else { throw cursor.unsupported("of opaque bytes") }
      self = .number(element, .littleEndian)
    case 8: self = try Self.enumeration(&cursor, flags, size, version)
    case 9:
      guard flags & 0x0F == 1 else { throw cursor.unsupported("of variable-length sequences") }
      guard size == Self.variableString.storedSize(in: cursor.file) else {
        throw cursor.malformed("of a string in \(size) bytes")
      }
      self = .variableString
    case let other: throw cursor.unsupported("of \(Self.name(ofClass: other))")
    }
  }

  private static func name(ofClass number: UInt8) -> String {
    switch number {
    case 2: "times"
    case 4: "bit fields"
    case 6: "compounds"
    case 7: "references"
    case 10: "arrays"
    case 11: "complex numbers"
    default: "class \(number)"
    }
  }

  private static func order(_ flags: UInt32, _ element: ElementType) -> HDF5ByteOrder {
    flags & 1 == 0 || element.size == 1 ? .littleEndian : .bigEndian
  }

  private static func integer(
    _ cursor: inout Cursor, _ flags: UInt32, _ size: Int
  ) throws(HDF5Error) -> HDF5Datatype {
    let (offset, precision) = (Int(try cursor.u16()), Int(try cursor.u16()))
    guard offset == 0, precision == size * 8 else {
      throw cursor.unsupported("of integers of \(precision) bits in \(size) bytes")
    }
    let isSigned = flags & 0x08 != 0
    let element: ElementType
    switch size {
    case 1: element = isSigned ? .int8 : .uint8
    case 2: element = isSigned ? .int16 : .uint16
    case 4: element = isSigned ? .int32 : .uint32
    case 8: element = isSigned ? .int64 : .uint64
    default: throw cursor.unsupported("of integers of \(size) bytes")
    }
    return .number(element, order(flags, element))
  }

  private static func float(
    _ cursor: inout Cursor, _ flags: UInt32, _ size: Int
  ) throws(HDF5Error) -> HDF5Datatype {
    let (offset, precision) = (Int(try cursor.u16()), Int(try cursor.u16()))
    let (exponentPlace, exponentSize) = (Int(try cursor.u8()), Int(try cursor.u8()))
    let (mantissaPlace, mantissaSize) = (Int(try cursor.u8()), Int(try cursor.u8()))
    let bias = Int(try cursor.u32())
    let signPlace = Int(flags >> 8 & 0xFF)
    let element: ElementType
    switch (size, exponentSize, mantissaSize) {
    case (2, 5, 10): element = .float16
    case (2, 8, 7): element = .bfloat16
    case (4, 8, 23): element = .float32
    case (8, 11, 52): element = .float64
    default:
      throw cursor.unsupported(
        "of floating-point numbers of \(size) bytes, \(exponentSize) bits exponent, \(mantissaSize) mantissa")
    }
    // The leading one is implied (2); bit 6 is only set in VAX order.
    guard offset == 0, precision == size * 8, mantissaPlace == 0, exponentPlace == mantissaSize,
      signPlace == precision - 1, bias == 1 << (exponentSize - 1) - 1, flags >> 4 & 3 == 2, flags & 0x40 == 0
    else { throw cursor.unsupported("of floating-point numbers of no IEEE format") }
    return .number(element, order(flags, element))
  }

  /// Enumerations are read as their integers, but for h5py's bool.
  private static func enumeration(
    _ cursor: inout Cursor, _ flags: UInt32, _ size: Int, _ version: UInt8
  ) throws(HDF5Error) -> HDF5Datatype {
    // An integer's datatype message has 12 bytes.
    let base = try HDF5Datatype(Cursor(try cursor.extent(12), cursor.subject))
    guard let element = base.element, element.isInteger, element.size == size else {
      throw cursor.unsupported("of an enumeration that is not of integers")
    }
    guard size == 1, flags & 0xFFFF == 2 else { return base }
    return try isBool(&cursor, version) ? .number(.bool, .littleEndian) : base
  }

  /// Whether the two members are FALSE = 0 and TRUE = 1.
  private static func isBool(_ cursor: inout Cursor, _ version: UInt8) throws(HDF5Error) -> Bool {
    var names: [String] = []
    for _ in 0..<2 {
      let length = cursor.rest.bytes.prefix { $0 != 0 }.count
      // Names end in a null, and up to version 2 are filled up to a multiple of 8 bytes.
      names.append(try cursor.name(version < 3 ? (length + 8) & ~7 : length + 1))
    }
    let values = [try cursor.u8(), try cursor.u8()]
    return (names, values) == (["FALSE", "TRUE"], [0, 1]) || (names, values) == (["TRUE", "FALSE"], [1, 0])
  }
}
