/// Reads JSON text (RFC 8259, and the `NaN`, `Infinity` and `-Infinity` that Python writes) with bounded depth and size.
///
/// The text comes out of files that nobody vouches for: nesting is limited, so that recursion is, and so is the number
/// of values, so that memory is a small multiple of the text.
package struct JSONParser {
  /// Models nest about six levels deep for each level of submodels.
  package static let maximumDepth = 128
  package static let maximumValueCount = 2_000_000

  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var valueCount = 0

  private init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  package static func parse(_ bytes: UnsafeRawBufferPointer) throws(KerasError) -> JSON {
    let text = bytes.bindMemory(to: UInt8.self)
    var parser = JSONParser(text)
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == text.count else { throw parser.malformed("text after its end") }
    return value
  }

  package static func parse(_ text: String) throws(KerasError) -> JSON {
    var text = text
    // `withUTF8` rethrows untyped.
    let result: Result<JSON, KerasError> = text.withUTF8 { bytes in
      Result { () throws(KerasError) in try parse(UnsafeRawBufferPointer(bytes)) }
    }
    return try result.get()
  }

  private func malformed(_ what: String) -> KerasError {
    KerasError(.malformed, "the configuration has \(what) at byte \(position), expected JSON")
  }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard length <= text.count - position,
      (0..<length).allSatisfy({ text[position + $0] == word.utf8Start[$0] })
    else { return false }
    position += length
    return true
  }

  private mutating func value(depth: Int) throws(KerasError) -> JSON {
    guard depth < Self.maximumDepth else {
      throw KerasError(.limit, "the configuration nests deeper than \(Self.maximumDepth) levels")
    }
    valueCount += 1
    guard valueCount <= Self.maximumValueCount else {
      throw KerasError(.limit, "the configuration has more than \(Self.maximumValueCount) values")
    }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take(word: "true"): return .bool(true)
    case UInt8(ascii: "f") where take(word: "false"): return .bool(false)
    case UInt8(ascii: "n") where take(word: "null"): return .null
    case UInt8(ascii: "N") where take(word: "NaN"): return .double(.nan)
    case UInt8(ascii: "I") where take(word: "Infinity"): return .double(.infinity)
    case UInt8(ascii: "-") where take(word: "-Infinity"): return .double(-.infinity)
    case UInt8(ascii: "-"): return try number()
    case let digit? where (0x30...0x39).contains(digit): return try number()
    case nil: throw malformed("an end")
    default: throw malformed("an unexpected character")
    }
  }

  private mutating func array(depth: Int) throws(KerasError) -> JSON {
    position += 1
    var elements: [JSON] = []
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw malformed("an unfinished list") }
    return .array(elements)
  }

  private mutating func object(depth: Int) throws(KerasError) -> JSON {
    position += 1
    var object = JSONObject()
    if take(UInt8(ascii: "}")) { return .object(object) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw malformed("a member without a name") }
      let name = try string()
      guard take(UInt8(ascii: ":")) else { throw malformed("a member without a value") }
      object.members.append(.init(name: name, value: try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw malformed("an unfinished object") }
    return .object(object)
  }

  private mutating func number() throws(KerasError) -> JSON {
    let start = position
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
    var isInteger = true
    if next == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    while isDigit(next) { position += 1 }
    guard position > firstDigit, position == firstDigit + 1 || text[firstDigit] != UInt8(ascii: "0") else {
      throw malformed("a malformed number")
    }
    if next == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      guard isDigit(next) else { throw malformed("a malformed number") }
      while isDigit(next) { position += 1 }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard isDigit(next) else { throw malformed("a malformed number") }
      while isDigit(next) { position += 1 }
    }
    let digits = String(decoding: text[start..<position], as: UTF8.self)
    if isInteger, let value = Int(digits) { return .int(value) }
    guard position - start <= 1000, let value = Double(digits) else { throw malformed("a malformed number") }
    return .double(value)
  }

  private mutating func string() throws(KerasError) -> String {
    position += 1
    let start = position
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    if next == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try string(of: text[start..<position])
    }
    var bytes = Array(text[start..<position])
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try string(of: bytes[...])
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<0x20: throw malformed("a control character in a string")
      default: bytes.append(byte)
      }
    }
    throw malformed("an unfinished string")
  }

  private func string(of bytes: some Collection<UInt8>) throws(KerasError) -> String {
    let string = String(decoding: bytes, as: UTF8.self)
    // Decoding puts a replacement where bytes are no UTF-8.
    guard string.utf8.elementsEqual(bytes) else { throw malformed("a string that is not UTF-8") }
    return string
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(KerasError) {
    guard let byte = next else { throw malformed("an unfinished string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code), take(word: "\\u") {
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw malformed("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
      bytes.append(contentsOf: String(scalar).utf8)
    default: throw malformed("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(KerasError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch next {
      case let byte? where (0x30...0x39).contains(byte): digit = byte - 0x30
      case let byte? where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
      case let byte? where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
      default: throw malformed("a malformed escape")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
