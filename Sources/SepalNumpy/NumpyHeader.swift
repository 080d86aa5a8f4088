import SepalTensor

/// The dictionary literal of an `.npy` file: `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }`.
struct NumpyHeader {
  private(set) var element = ElementType.float32
  private(set) var isBigEndian = false
  private(set) var isFortran = false
  private(set) var shape: [Int] = []

  init(_ text: String) throws(NumpyError) {
    var parser = Parser(text: Array(text.utf8))
    var seen: Set<String> = []
    try parser.expect("{")
    while !parser.skip("}") {
      let key = try parser.string()
      try parser.expect(":")
      switch key {
      case "descr":
        guard !parser.skip("[") else {
          throw NumpyError(.unsupported, "has structured elements, expected numbers or bool")
        }
        try setElement(try parser.string())
      case "fortran_order": isFortran = try parser.boolean()
      case "shape": shape = try parser.tuple()
      default: throw NumpyError(.malformed, "has an unknown header field '\(key)'")
      }
      guard seen.insert(key).inserted else { throw NumpyError(.malformed, "has '\(key)' twice") }
      if !parser.skip(",") {
        try parser.expect("}")
        break
      }
    }
    guard seen.count == 3 else { throw NumpyError(.malformed, "has an incomplete header") }
  }

  private mutating func setElement(_ code: String) throws(NumpyError) {
    guard let order = code.first,
      let element = ElementType.allCases.first(where: {
        Self.code(of: $0).dropFirst() == code.dropFirst() && $0 != .bfloat16
      }),
      "<>|=".contains(order)
    else { throw NumpyError(.unsupported, "has elements of type '\(code)', expected numbers or bool") }
    self.element = element
    isBigEndian = order == ">"
  }

  static func code(of element: ElementType) -> String {
    switch element {
    case .float32, .bfloat16: "<f4"
    case .float16: "<f2"
    case .float64: "<f8"
    case .int8: "|i1"
    case .uint8: "|u1"
    case .int16: "<i2"
    case .uint16: "<u2"
    case .int32: "<i4"
    case .uint32: "<u4"
    case .int64: "<i8"
    case .uint64: "<u8"
    case .bool: "|b1"
    }
  }

  private struct Parser {
    let text: [UInt8]
    var position = 0

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
      while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x09 { position += 1 }
    }

    mutating func skip(_ character: Character) -> Bool {
      skipSpace()
      guard next == character.asciiValue else { return false }
      position += 1
      return true
    }

    mutating func expect(_ character: Character) throws(NumpyError) {
      guard skip(character) else {
        throw NumpyError(.malformed, "has a broken header, expected '\(character)'")
      }
    }

    mutating func string() throws(NumpyError) -> String {
      let quote: Character = skip("\"") ? "\"" : "'"
      if quote == "'" { try expect("'") }
      let start = position
      while let byte = next, byte != quote.asciiValue { position += 1 }
      defer { position += 1 }
      guard next != nil else { throw NumpyError(.malformed, "has a broken header, expected a closing quote") }
      return String(decoding: text[start..<position], as: UTF8.self)
    }

    mutating func boolean() throws(NumpyError) -> Bool {
      skipSpace()
      for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8)
      {
        position += word.utf8.count
        return value
      }
      throw NumpyError(.malformed, "has a broken header, expected True or False")
    }

    mutating func tuple() throws(NumpyError) -> [Int] {
      var items: [Int] = []
      try expect("(")
      while !skip(")") {
        skipSpace()
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard let value = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
          throw NumpyError(.malformed, "has a broken header, expected a dimension")
        }
        items.append(value)
        if !skip(",") {
          try expect(")")
          break
        }
      }
      return items
    }
  }
}
