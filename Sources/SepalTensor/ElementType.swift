/// The type of one tensor element. Raw values are part of the native file format.
public enum ElementType: UInt8, Sendable, Hashable, CaseIterable {
  case float32 = 1
  case float16 = 2
  case bfloat16 = 3
  case float64 = 4
  case int8 = 5
  case uint8 = 6
  case int16 = 7
  case uint16 = 8
  case int32 = 9
  case uint32 = 10
  case int64 = 11
  case uint64 = 12
  case bool = 13

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  public var isFloat: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64: true
    default: false
    }
  }

  /// The values of an integer type, or of bool as 0 and 1, as far as `Int64` holds them. Meaningless for floating point.
  package var integerRange: ClosedRange<Int64> {
    switch self {
    case .bool: 0...1
    case .int8: -128...127
    case .uint8: 0...255
    case .int16: -32768...32767
    case .uint16: 0...65535
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .uint32: 0...Int64(UInt32.max)
    case .uint64: 0...Int64.max
    case .int64, .float32, .float16, .bfloat16, .float64: Int64.min...Int64.max
    }
  }

  /// Integer types, without `bool`.
  public var isInteger: Bool { !isFloat && self != .bool }

  /// The name used in dumps, JSON and errors: `float32`, `int64`, …
  public var name: String {
    switch self {
    case .float32: "float32"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float64: "float64"
    case .int8: "int8"
    case .uint8: "uint8"
    case .int16: "int16"
    case .uint16: "uint16"
    case .int32: "int32"
    case .uint32: "uint32"
    case .int64: "int64"
    case .uint64: "uint64"
    case .bool: "bool"
    }
  }

  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}

extension ElementType: CustomStringConvertible {
  public var description: String { name }
}
