import SepalTensor

/// The order of a number's bytes.
public enum HDF5ByteOrder: Sendable, Hashable {
  case littleEndian
  case bigEndian
}

/// The type of the elements of a dataset or an attribute. Whatever is not one of these is refused by name.
public enum HDF5Datatype: Sendable, Hashable {
  /// How a string of fixed length is filled up.
  public enum Padding: UInt8, Sendable, Hashable {
    case nullTerminated = 0
    case nullPadded = 1
    case spacePadded = 2
  }

  /// IEEE floats, bfloat16, integers, and bool, which is the enumeration of `FALSE` = 0 and `TRUE` = 1 in one byte.
  /// Other enumerations are their integers. The order of one byte is always little-endian.
  case number(ElementType, HDF5ByteOrder)
  /// ASCII or UTF-8 in a fixed number of bytes.
  case fixedString(byteCount: Int, Padding)
  /// ASCII or UTF-8 of any length.
  case variableString

  /// The element type of a tensor of these; nil for strings.
  public var element: ElementType? {
    if case .number(let element, _) = self { element } else { nil }
  }
}

extension HDF5Datatype: CustomStringConvertible {
  /// `float32`, `big-endian int16`, `string`, `string of 8 bytes`.
  public var description: String {
    switch self {
    case .number(let element, .littleEndian): "\(element)"
    case .number(let element, .bigEndian): "big-endian \(element)"
    case .fixedString(let count, _): "string of \(count) bytes"
    case .variableString: "string"
    }
  }
}
