/// A JSON value as Python's `json` writes it: integers and floating point are told apart, NaN and infinities are legal.
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  /// A number, or a boolean as Python counts it.
  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  var int: Int? {
    switch self {
    case .int(let value): value
    case .double(let value): Int(exactly: value)
    default: nil
    }
  }

  var string: String? { if case .string(let value) = self { value } else { nil } }
  var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
  var isNull: Bool { self == .null }

  /// The kind of value, for errors.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Members in the file's order. Of members with one name the last counts, as in Python.
package struct JSONObject: Sendable, Hashable {
  package var members: [Member]

  package struct Member: Sendable, Hashable {
    package var name: String
    package var value: JSON

    package init(name: String, value: JSON) {
      self.name = name
      self.value = value
    }
  }

  package init(_ members: [Member] = []) { self.members = members }

  package subscript(name: String) -> JSON? { members.last { $0.name == name }?.value }
}
