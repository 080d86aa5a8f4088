import SepalGraph
import SepalTensor

/// Configuration entries, checked. Absent and null entries give the default where there is one.
extension LayerContext {
  var config: JSONObject { layer.config }

  func entry(_ field: String) -> JSON? {
    markRead(field)
    guard let value = config[field], !value.isNull else { return nil }
    return value
  }

  /// The name under which an entry is written: the current one, or that of an older version.
  func spelling(_ names: String...) -> String { names.first { entry($0) != nil } ?? names[0] }

  func invalid(_ field: String, _ message: String) -> KerasError {
    KerasError(.invalid, message, field: field)
  }
  func unsupported(_ field: String, _ message: String) -> KerasError {
    KerasError(.unsupported, message, field: field)
  }

  private func required<Value>(_ field: String, _ value: Value?) throws(KerasError) -> Value {
    guard let value else { throw invalid(field, "is missing") }
    return value
  }

  func int(_ field: String, default value: Int? = nil) throws(KerasError) -> Int {
    guard let entry = entry(field) else { return try required(field, value) }
    guard let value = entry.int else { throw invalid(field, "is \(entry.kind), expected an integer") }
    return value
  }

  func optionalInt(_ field: String) throws(KerasError) -> Int? { entry(field) == nil ? nil : try int(field) }

  /// A number. Small arrays are allowed where Keras stores NumPy scalars.
  func number(_ field: String, default value: Double? = nil) throws(KerasError) -> Double {
    guard let entry = entry(field) else { return try required(field, value) }
    guard let value = entry.plainValue.number else {
      throw invalid(field, "is \(entry.kind), expected a number")
    }
    guard !value.isNaN else { throw invalid(field, "is not a number") }
    return value
  }

  func optionalNumber(_ field: String) throws(KerasError) -> Double? {
    entry(field) == nil ? nil : try number(field)
  }

  func bool(_ field: String, default value: Bool? = nil) throws(KerasError) -> Bool {
    guard let entry = entry(field) else { return try required(field, value) }
    switch entry {
    case .bool(let value): return value
    case .int(let value): return value != 0
    default: throw invalid(field, "is \(entry.kind), expected a boolean")
    }
  }

  func string(_ field: String, default value: String? = nil) throws(KerasError) -> String {
    guard let entry = entry(field) else { return try required(field, value) }
    guard let value = entry.string else { throw invalid(field, "is \(entry.kind), expected a string") }
    return value
  }

  /// `count` integers; one that is written alone counts for all.
  func ints(_ field: String, count: Int, default value: Int? = nil) throws(KerasError) -> [Int] {
    guard let entry = entry(field) else { return [Int](repeating: try required(field, value), count: count) }
    if let single = entry.int { return [Int](repeating: single, count: count) }
    let values = try ints(field)
    if values.count == 1, count > 1 { return [Int](repeating: values[0], count: count) }
    guard values.count == count else { throw invalid(field, "has \(values.count) values, expected \(count)") }
    return values
  }

  /// A list of integers of any length.
  func ints(_ field: String) throws(KerasError) -> [Int] {
    let entry = try required(field, entry(field))
    if let single = entry.int { return [single] }
    guard let list = entry.plainValue.array else {
      throw invalid(field, "is \(entry.kind), expected a list of integers")
    }
    var values: [Int] = []
    for element in list {
      guard let value = element.int else { throw invalid(field, "holds \(element.kind), expected integers") }
      values.append(value)
    }
    return values
  }

  /// Positive integers that count something whose size decides memory: at most what a tensor dimension may be.
  func size(_ field: String, default value: Int? = nil) throws(KerasError) -> Int {
    let value = try int(field, default: value)
    guard (1...Int(Int32.max)).contains(value) else {
      throw invalid(field, "is \(value), expected a positive number")
    }
    return value
  }

  func sizes(_ field: String, count: Int, default value: Int? = nil) throws(KerasError) -> [Int] {
    let values = try ints(field, count: count, default: value)
    guard values.allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
      throw invalid(field, "is \(values), expected positive numbers")
    }
    return values
  }

  /// An entry that selects one of a few words.
  func choice<Value>(
    _ field: String, default value: String, _ choices: KeyValuePairs<String, Value>
  ) throws(KerasError) -> Value {
    let text = try string(field, default: value)
    guard let match = choices.first(where: { $0.key == text }) else {
      let known = choices.map { $0.key }.joined(separator: ", ")
      throw unsupported(field, "is '\(text.printable())', expected one of \(known)")
    }
    return match.value
  }

  /// Where the channels are.
  ///
  /// - Parameter rank: the number of spatial axes.
  func layout(rank: Int = 2) throws(KerasError) -> Layout {
    guard version == .one else {
      return try choice(
        "data_format", default: "channels_last",
        ["channels_last": .channelsLast, "channels_first": .channelsFirst])
    }
    // Keras 1 called it `dim_ordering`, had it from two dimensions on, and kept some layers' to itself.
    if entry("dim_ordering") != nil {
      return try choice("dim_ordering", default: "tf", ["tf": .channelsLast, "th": .channelsFirst])
    }
    guard rank > 1, let ordering = importing.statedOrderings.first else {
      return .channelsLast
    }
    guard importing.statedOrderings.count == 1 else {
      throw unsupported("dim_ordering", "is missing, and other layers have one and the other")
    }
    return ordering == "th" ? .channelsFirst : .channelsLast
  }

  /// An axis counted from the front.
  func axis(_ value: Int, rank: Int, _ field: String = "axis") throws(KerasError) -> Int {
    guard value >= -rank, value < rank else {
      throw invalid(field, "is \(value), expected an axis of a value of rank \(rank)")
    }
    return value < 0 ? value + rank : value
  }

  /// Axes counted from the front, in the order given: a number or a list of different ones.
  func axes(_ field: String = "axis", rank: Int) throws(KerasError) -> [Int] {
    var axes: [Int] = []
    for value in try ints(field) {
      let axis = try axis(value, rank: rank, field)
      guard !axes.contains(axis) else { throw invalid(field, "names axis \(axis) twice") }
      axes.append(axis)
    }
    return axes
  }

  /// Turns an operator's refusal into an error about this layer.
  func checked<Value>(_ body: () throws(OperatorError) -> Value) throws(KerasError) -> Value {
    do throws(OperatorError) {
      return try body()
    } catch {
      throw KerasError(.invalid, error.message)
    }
  }
}

extension JSON {
  /// Keras 3 wraps arrays and NumPy values: `{"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "float32"}}`.
  var plainValue: JSON {
    guard let object, let className = object["class_name"]?.string,
      ["__numpy__", "__tensor__", "__tuple__"].contains(className)
    else { return self }
    return object["config"]?.object?["value"] ?? object["items"] ?? self
  }
}
