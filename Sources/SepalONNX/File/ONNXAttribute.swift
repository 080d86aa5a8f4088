/// The value of one node attribute. Kinds that are rare and large are boxed: a model has many attributes.
package enum ONNXAttribute: Sendable {
  case float(Float)
  case int(Int64)
  /// Raw bytes: the specification asks for UTF-8 and does not enforce it.
  case string([UInt8])
  indirect case tensor(ONNXTensor)
  case floats([Float])
  case ints([Int64])
  case strings([[UInt8]])
  case tensors([ONNXTensor])
  /// A body of control flow, which is not imported; `name` is the subgraph's own.
  indirect case graph(name: String, nodeCount: Int)
  /// A list without elements whose type the file does not tell.
  case emptyList
  /// Recognised, never imported: "graphs", "sparse tensor", "type", …
  indirect case unsupported(String)

  /// What messages call a value of this kind.
  package var kind: String {
    switch self {
    case .float: "a float"
    case .int: "an int"
    case .string: "a string"
    case .tensor: "a tensor"
    case .floats: "a list of floats"
    case .ints: "a list of ints"
    case .strings: "a list of strings"
    case .tensors: "a list of tensors"
    case .graph: "a graph"
    case .emptyList: "an empty list"
    case .unsupported(let name): "a \(name)"
    }
  }
}

/// Typed access. An absent attribute gives nil; one of another type throws an error that names node and
/// attribute.
extension ONNXNode {
  package func has(_ name: String) -> Bool { attributes[name] != nil }

  package func int(_ name: String) throws(ONNXError) -> Int? {
    guard let attribute = attributes[name] else { return nil }
    guard case .int(let value) = attribute else { throw mismatch(name, attribute, "an int") }
    guard let value = Int(exactly: value) else {
      throw error(.invalid, "is \(value), which does not fit this machine", attribute: name)
    }
    return value
  }

  package func float(_ name: String) throws(ONNXError) -> Float? {
    guard let attribute = attributes[name] else { return nil }
    guard case .float(let value) = attribute else { throw mismatch(name, attribute, "a float") }
    return value
  }

  package func string(_ name: String) throws(ONNXError) -> String? {
    guard let attribute = attributes[name] else { return nil }
    guard case .string(let bytes) = attribute else { throw mismatch(name, attribute, "a string") }
    return try utf8(bytes, name)
  }

  package func tensor(_ name: String) throws(ONNXError) -> ONNXTensor? {
    guard let attribute = attributes[name] else { return nil }
    guard case .tensor(let value) = attribute else { throw mismatch(name, attribute, "a tensor") }
    return value
  }

  /// A list of ints; with `count`, of exactly that many.
  package func ints(_ name: String, count: Int? = nil) throws(ONNXError) -> [Int]? {
    guard let attribute = attributes[name] else { return nil }
    var list: [Int] = []
    switch attribute {
    case .ints(let values):
      list.reserveCapacity(values.count)
      for value in values {
        guard let value = Int(exactly: value) else {
          throw error(.invalid, "has the value \(value), which does not fit this machine", attribute: name)
        }
        list.append(value)
      }
    case .emptyList: break
    case .floats(let values) where values.isEmpty: break
    default: throw mismatch(name, attribute, "a list of ints")
    }
    if let count, list.count != count {
      throw error(.invalid, "has \(Self.values(list.count)), expected \(count)", attribute: name)
    }
    return list
  }

  package func floats(_ name: String, count: Int? = nil) throws(ONNXError) -> [Float]? {
    guard let attribute = attributes[name] else { return nil }
    var list: [Float] = []
    switch attribute {
    case .floats(let values): list = values
    case .emptyList: break
    case .ints(let values) where values.isEmpty: break
    default: throw mismatch(name, attribute, "a list of floats")
    }
    if let count, list.count != count {
      throw error(.invalid, "has \(Self.values(list.count)), expected \(count)", attribute: name)
    }
    return list
  }

  package func strings(_ name: String) throws(ONNXError) -> [String]? {
    guard let attribute = attributes[name] else { return nil }
    switch attribute {
    case .strings(let values):
      var list: [String] = []
      for bytes in values { list.append(try utf8(bytes, name)) }
      return list
    case .emptyList: return []
    default: throw mismatch(name, attribute, "a list of strings")
    }
  }

  package func int(_ name: String, default value: Int) throws(ONNXError) -> Int {
    try int(name) ?? value
  }

  package func float(_ name: String, default value: Float) throws(ONNXError) -> Float {
    try float(name) ?? value
  }

  package func string(_ name: String, default value: String) throws(ONNXError) -> String {
    try string(name) ?? value
  }

  /// An attribute that is 0 or 1.
  package func flag(_ name: String, default value: Bool) throws(ONNXError) -> Bool {
    switch try int(name) {
    case nil: return value
    case 0: return false
    case 1: return true
    case let other?: throw error(.invalid, "is \(other), expected 0 or 1", attribute: name)
    }
  }

  /// Turns an absent mandatory attribute into an error: `try node.required("axis", node.int("axis"))`.
  package func required<Value>(_ name: String, _ value: Value?) throws(ONNXError) -> Value {
    guard let value else { throw error(.invalid, "is missing", attribute: name) }
    return value
  }

  private func mismatch(_ name: String, _ attribute: ONNXAttribute, _ expected: String) -> ONNXError {
    error(.invalid, "is \(attribute.kind), expected \(expected)", attribute: name)
  }

  private func utf8(_ bytes: [UInt8], _ name: String) throws(ONNXError) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.utf8.elementsEqual(bytes) else {
      throw error(.invalid, "is not UTF-8 text", attribute: name)
    }
    return text
  }

  private static func values(_ count: Int) -> String { count == 1 ? "1 value" : "\(count) values" }
}
