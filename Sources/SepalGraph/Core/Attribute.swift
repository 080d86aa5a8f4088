import SepalTensor

/// An operator attribute as the native file and the textual dump carry it.
public enum AttributeValue: Sendable, Hashable {
  case int(Int)
  case float(Double)
  case string(String)
  case ints([Int])
  case floats([Double])
}

extension AttributeValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .int(let value): String(value)
    case .float(let value): String(value)
    case .string(let value): value
    case .ints(let values): "[\(values.map(String.init).joined(separator: ","))]"
    case .floats(let values): "[\(values.map { "\($0)" }.joined(separator: ","))]"
    }
  }
}

/// A Swift type that an operator may use for a stored attribute.
public protocol AttributeConvertible: Sendable, Hashable {
  var attributeValue: AttributeValue { get }
  /// Nil when `attributeValue` is of another kind or out of range.
  init?(attributeValue: AttributeValue)
  /// What an error says was expected: `integer`, `list of integers`, …
  static var expectation: String { get }
}

extension Int: AttributeConvertible {
  public var attributeValue: AttributeValue { .int(self) }
  public init?(attributeValue: AttributeValue) {
    guard case .int(let value) = attributeValue else { return nil }
    self = value
  }
  public static var expectation: String { "an integer" }
}

extension Double: AttributeConvertible {
  public var attributeValue: AttributeValue { .float(self) }
  public init?(attributeValue: AttributeValue) {
    guard case .float(let value) = attributeValue else { return nil }
    self = value
  }
  public static var expectation: String { "a number" }
}

extension Bool: AttributeConvertible {
  public var attributeValue: AttributeValue { .int(self ? 1 : 0) }
  public init?(attributeValue: AttributeValue) {
    guard case .int(let value) = attributeValue, value == 0 || value == 1 else { return nil }
    self = value == 1
  }
  public static var expectation: String { "0 or 1" }
}

/// A type whose lists are attributes.
public protocol AttributeListElement: Sendable, Hashable {
  static func attributeValue(_ list: [Self]) -> AttributeValue
  /// Nil when `attributeValue` is of another kind.
  static func list(_ attributeValue: AttributeValue) -> [Self]?
  static var listExpectation: String { get }
}

extension Array: AttributeConvertible where Element: AttributeListElement {
  public var attributeValue: AttributeValue { Element.attributeValue(self) }
  public init?(attributeValue: AttributeValue) {
    guard let list = Element.list(attributeValue) else { return nil }
    self = list
  }
  public static var expectation: String { Element.listExpectation }
}

extension Int: AttributeListElement {
  public static func attributeValue(_ list: [Int]) -> AttributeValue { .ints(list) }
  public static func list(_ attributeValue: AttributeValue) -> [Int]? {
    guard case .ints(let values) = attributeValue else { return nil }
    return values
  }
  public static var listExpectation: String { "a list of integers" }
}

extension Double: AttributeListElement {
  public static func attributeValue(_ list: [Double]) -> AttributeValue { .floats(list) }
  public static func list(_ attributeValue: AttributeValue) -> [Double]? {
    guard case .floats(let values) = attributeValue else { return nil }
    return values
  }
  public static var listExpectation: String { "a list of numbers" }
}

/// Enumerations with string raw values are stored by that string.
extension AttributeConvertible where Self: RawRepresentable<String> & CaseIterable {
  public var attributeValue: AttributeValue { .string(rawValue) }
  public init?(attributeValue: AttributeValue) {
    guard case .string(let name) = attributeValue else { return nil }
    self.init(rawValue: name)
  }
  public static var expectation: String {
    "one of \(allCases.map(\.rawValue).joined(separator: ", "))"
  }
}

extension ElementType: AttributeConvertible {
  public var attributeValue: AttributeValue { .string(name) }
  public init?(attributeValue: AttributeValue) {
    guard case .string(let name) = attributeValue else { return nil }
    self.init(name: name)
  }
  public static var expectation: String { "an element type" }
}

/// Where a spatial operator's channel axis is.
public enum Layout: String, AttributeConvertible, CaseIterable {
  /// N, C, spatial…
  case channelsFirst
  /// N, spatial…, C
  case channelsLast

  /// The channel axis of a value of this rank.
  public func channelAxis(rank: Int) -> Int { self == .channelsFirst ? 1 : rank - 1 }

  /// The first spatial axis; spatial axes are contiguous.
  public var firstSpatialAxis: Int { self == .channelsFirst ? 2 : 1 }

  /// `[n, c] + spatial` in this layout's order.
  public func shape(batch: Int, channels: Int, spatial: [Int]) -> [Int] {
    self == .channelsFirst ? [batch, channels] + spatial : [batch] + spatial + [channels]
  }

  /// The permutation (of source axes, as in `Transpose`) that brings a channels-first value of `rank` to channels-last.
  public static func toChannelsLast(rank: Int) -> [Int] { [0] + Array(2..<rank) + [1] }

  /// The inverse of `toChannelsLast`.
  public static func toChannelsFirst(rank: Int) -> [Int] { [0, rank - 1] + Array(1..<rank - 1) }
}
