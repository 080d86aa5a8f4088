import SepalKeras
import Testing

/// What Python's `json` accepts and refuses is what the parser accepts and refuses, within its limits.
struct JSONParserTests {
  private func parse(_ text: String) throws(KerasError) -> JSON { try JSONParser.parse(text) }

  private func parse(_ bytes: [UInt8]) throws(KerasError) -> JSON {
    let result: Result<JSON, KerasError> = bytes.withUnsafeBytes { bytes in
      Result { () throws(KerasError) in try JSONParser.parse(bytes) }
    }
    return try result.get()
  }

  private func object(_ members: (String, JSON)...) -> JSON {
    .object(JSONObject(members.map { .init(name: $0.0, value: $0.1) }))
  }

  @Test func valuesOfEveryKindAreRead() throws {
    #expect(try parse("null") == .null)
    #expect(try parse(" \t\r\n true \n") == .bool(true))
    #expect(try parse("[false, [], {}]") == .array([.bool(false), .array([]), object()]))
    #expect(
      try parse(#"{"a": 1, "b": [2.5, "c"]}"#)
        == object(("a", .int(1)), ("b", .array([.double(2.5), .string("c")]))))
  }

  @Test(arguments: [
    ("0", JSON.int(0)), ("-0", .int(0)), ("-17", .int(-17)), ("9223372036854775807", .int(.max)),
    ("-9223372036854775808", .int(.min)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
    ("1e3", .double(1000)), ("1E+2", .double(100)), ("1.5e-1", .double(0.15)), ("0.0", .double(0)),
    ("1e400", .double(.infinity)), ("Infinity", .double(.infinity)), ("-Infinity", .double(-.infinity)),
  ])
  func numbersAreIntegersOrFloatingPoint(text: String, value: JSON) throws {
    #expect(try parse(text) == value)
  }

  @Test func notANumberIsRead() throws {
    guard case .double(let value) = try parse("NaN") else {
      Issue.record("NaN is no number")
      return
    }
    #expect(value.isNaN)
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\ud83d\ude00""#, "😀"), ("\"😀\u{7F}\u{2028}\"", "😀\u{7F}\u{2028}"), ("\"\"", ""),
    (#""\u0000""#, "\0"),
  ])
  func stringsAreUnescaped(text: String, value: String) throws {
    #expect(try parse(text) == .string(value))
  }

  @Test(arguments: [
    "", " ", "nul", "True", "none", "undefined", "'a'", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u 123\"", "\"a\nb\"", "\"\u{1}\"", "+1", "01", "-", "-a", "1.", ".5", "1e", "1e+", "0x10", "1_000",
    "--1",
    "-Inf", "-NaN", "nan", "infinity", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"",
    "{\"a\":",
    "{\"a\":1", "{\"a\":1,}", "{a:1}", "{1:2}", "{\"a\" 1}", "{,}", "}", "1 2", "[] []", "// a\n1",
    "/* a */ 1", "[1;2]",
  ])
  func malformedTextIsRefused(text: String) {
    #expect(throws: KerasError.self, "\(text)") { try parse(text) }
  }

  @Test(
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
      [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0x22, 0x5C, 0x6E, 0xFE, 0x22], [0xFE, 0xFF, 0x00, 0x31],
    ] as [[UInt8]])
  func whatIsNoUTF8IsRefused(bytes: [UInt8]) {
    #expect(throws: KerasError.self) { try parse(bytes) }
  }

  @Test func aByteOrderMarkIsSkipped() throws {
    #expect(try parse([0xEF, 0xBB, 0xBF, 0x31]) == .int(1))
  }

  /// Python reads these as strings that are no text.
  @Test(arguments: [#""\ud83d""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00""#, #""\ud83d\ud83d""#])
  func halvesOfSurrogatePairsAreRefused(text: String) {
    #expect(throws: KerasError.self) { try parse(text) }
  }

  @Test func ofMembersWithOneNameTheLastCounts() throws {
    guard case .object(let object) = try parse(#"{"a": 1, "b": 2, "a": 3}"#) else {
      Issue.record("no object")
      return
    }
    #expect(object["a"] == .int(3))
    #expect(object["c"] == nil)
  }

  @Test func nestingHasALimit() throws {
    let deepest = JSONParser.maximumDepth
    let legal = String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest)
    _ = try parse(legal)
    for open in ["[", "{\"a\":"] {
      let error = #expect(throws: KerasError.self) { try parse(String(repeating: open, count: deepest + 1)) }
      #expect(error?.code == .limit)
    }
  }

  /// Ten million bytes that stand for nothing, or for as many values as fit.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: ["[", "{\"a\":", "[]", "[],", "1,", "\"\\u0041\",", "  ", "{\"\":0,", "\"", "[\"\\"])
  func tenMegabytesAreRefused(unit: String) {
    let count = 10_000_000 / unit.utf8.count
    for text in [String(repeating: unit, count: count), "[" + String(repeating: unit, count: count)] {
      #expect(throws: KerasError.self) { try parse(text) }
    }
  }

  @Test func valuesHaveALimit() throws {
    let count = JSONParser.maximumValueCount
    let error = #expect(throws: KerasError.self) {
      try parse("[" + String(repeating: "0,", count: count) + "0]")
    }
    #expect(error?.code == .limit)
  }
}
