import SepalTensor

extension RawOperator {
  /// The call of the operator as that of its function: tensors of the call and constants of the layer in the places
  /// that the operator gives them, attributes as settings.
  func arguments(of context: LayerContext) throws(KerasError) -> LayerContext {
    let values = try operands(of: context)
    var (positional, keywords): ([Operands.Operand], [(name: String, value: Operands.Operand)]) = ([], [])
    var settings: [JSONObject.Member] = []
    let listed = isVariadic ? values.count - inputs.count : 0
    guard listed >= 0, isVariadic || values.count <= max(inputs.count, 1) else {
      throw KerasError(.invalid, "is called with \(values.count) operands, expected \(max(inputs.count, 1))")
    }
    if isVariadic { positional = [.list(Array(values.prefix(listed)))] }
    for (index, value) in values.dropFirst(listed).enumerated() {
      // Operands by name, except for the first.
      if index == 0, !isVariadic, inputs.first != "axis" {
        positional = [value]
      } else if case .constant(let json) = value {
        settings.append(.init(name: inputs[index], value: json))
      } else {
        keywords.append((inputs[index], value))
      }
    }
    for (attribute, setting) in self.settings {
      guard let value = try self.attribute(attribute, of: context) else { continue }
      settings.append(.init(name: setting, value: value))
    }
    return context.reading(JSONObject(settings), Operands(positional, keywords))
  }

  /// What the operator takes, in its order: constants of the layer stand at the positions that number them.
  private func operands(of context: LayerContext) throws(KerasError) -> [Operands.Operand] {
    var values: [Operands.Operand] = (context.operands.argument(0, "inputs")?.values ?? []).map { .value($0) }
    let constants = context.layer.config["constants"]?.object?.members ?? []
    var numbered: [(index: Int, json: JSON)] = []
    for member in constants {
      guard let index = Int(member.name), (0..<64).contains(index) else {
        throw context.invalid("constants", "has an entry '\(member.name.printable())', expected a number")
      }
      numbered.append((index, member.value))
    }
    for (index, json) in numbered.sorted(by: { $0.index < $1.index }) {
      guard index <= values.count else {
        throw context.invalid("constants", "has an entry \(index), and there are \(values.count) operands")
      }
      values.insert(.constant(json), at: index)
    }
    return values
  }

  /// An attribute of the node, in which protobuf wraps each value in its type.
  private func attribute(_ name: String, of context: LayerContext) throws(KerasError) -> JSON? {
    guard let value = context.layer.config["node_def"]?.object?["attr"]?.object?[name] else { return nil }
    guard let value = value.object else {
      throw context.invalid("node_def", "has an attribute '\(name)' that is \(value.kind)")
    }
    func integer(_ json: JSON) -> JSON? {
      // protobuf writes 64-bit integers as strings.
      json.int.map(JSON.int) ?? json.string.flatMap { Int($0) }.map(JSON.int)
    }
    if let list = value["list"]?.object {
      return list["i"]?.array.map { .array($0.compactMap(integer)) }
    }
    if let number = value["i"] { return integer(number) }
    if let number = value["f"]?.number { return .double(number) }
    if case .bool(let flag)? = value["b"] { return .bool(flag) }
    if let text = value["s"]?.string { return .string(try decoded(text, of: context)) }
    if let type = value["type"]?.string, type.hasPrefix("DT_") { return .string(Self.elementName(type)) }
    throw context.invalid("node_def", "has an attribute '\(name)' of an unknown kind")
  }

  /// `DT_FLOAT` → `float32`.
  private static func elementName(_ type: String) -> String {
    switch type {
    case "DT_FLOAT": "float32"
    case "DT_DOUBLE": "float64"
    case "DT_HALF": "float16"
    default: type.dropFirst(3).lowercased()
    }
  }

  /// protobuf writes bytes in base 64.
  private func decoded(_ text: String, of context: LayerContext) throws(KerasError) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    let digits = Dictionary(uniqueKeysWithValues: zip(alphabet, 0..<64))
    var (bytes, bits, count): ([UInt8], Int, Int) = ([], 0, 0)
    for character in text.utf8.prefix(1024) where character != UInt8(ascii: "=") {
      guard let digit = digits[character] else {
        throw context.invalid("node_def", "has text that is not base 64")
      }
      bits = bits << 6 | digit
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(bits >> count & 0xFF))
        bits &= (1 << count) - 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
