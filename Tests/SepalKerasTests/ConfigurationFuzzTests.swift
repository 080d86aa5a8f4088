import Foundation
import SepalHDF5
import SepalKeras
import SepalTensor
import SepalZip
import Testing

/// Whatever a damaged configuration says, importing it either succeeds with a legal graph or throws, within a bound.
struct ConfigurationFuzzTests {
  static let iterations =
    ProcessInfo.processInfo.environment["SEPAL_FUZZ_ITERATIONS"].flatMap(Int.init) ?? 6_000

  struct Architecture {
    var name: String
    var text: [UInt8]
    var weights: TensorStorage?

    init?(_ model: RecordedModel) {
      name = model.name
      func contents(_ file: String) -> TensorStorage? {
        FileManager.default.contents(atPath: Fixtures.path("keras_layers/\(file)")).map { Array($0).storage }
      }
      guard let storage = contents(model.file) else { return nil }
      if HDF5File.recognizes(storage.bytes) {
        let attribute = try? HDF5File(storage).root.attribute("model_config")
        guard let config = try? attribute?.strings().first else { return nil }
        (text, weights) = (Array(config.utf8), storage)
      } else if ZipArchive.recognizes(storage.bytes) {
        func member(_ name: String) -> [UInt8]? {
          guard let archive = try? ZipArchive(storage), let member = archive[name],
            let (bytes, range) = try? archive.contents(of: member)
          else { return nil }
          return Array(bytes.bytes[range])
        }
        guard let config = member("config.json") else { return nil }
        (text, weights) = (config, member("model.weights.h5")?.storage)
      } else {
        (text, weights) = (Array(storage.bytes), model.weights.flatMap(contents))
      }
      if text.count > 60_000 { return nil }
    }
  }

  /// Architectures of the corpus, out of every container.
  static let architectures = RecordedModel.all(in: "keras_layers").compactMap(Architecture.init)

  @Test func thereAreArchitectures() { #expect(Self.architectures.count > 250) }

  @Test func flippedBytesAreImportedOrRefused() throws {
    var random = SplitMix64(seed: 11)
    for index in 0..<Self.iterations {
      let architecture = Self.architectures[index % Self.architectures.count]
      var bytes = architecture.text
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let position = Int.random(in: bytes.indices, using: &random)
        bytes[position] =
          Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random)
          : Array("0123456789-e.\"[]{}:,ntf".utf8).randomElement(using: &random) ?? 0
      }
      try survives(bytes, architecture)
    }
  }

  /// Values replaced by others, dropped, doubled, and swapped between places.
  @Test func rearrangedConfigurationsAreImportedOrRefused() throws {
    var random = SplitMix64(seed: 12)
    for index in 0..<Self.iterations {
      let architecture = Self.architectures[index % Self.architectures.count]
      var json = try architecture.text.withUnsafeBytes { try JSONParser.parse($0) }
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        var place = Int.random(in: 0..<json.count, using: &random)
        json.mutate(at: &place, &random)
      }
      try survives(Array(json.text.utf8), architecture)
    }
  }

  @Test func everyPrefixIsRefused() throws {
    let text = try #require(Self.architectures.first { $0.name.hasPrefix("operator_slices") }).text
    for count in text.indices where count < text.count {
      #expect(throws: KerasError.self) { try KerasImporter().load(Array(text[..<count]).storage) }
    }
  }

  private func survives(_ bytes: [UInt8], _ architecture: Architecture) throws {
    let clock = ContinuousClock()
    let elapsed = try clock.measure {
      guard let imported = try? KerasImporter().load(bytes.storage, weights: architecture.weights) else {
        return
      }
      try imported.graph.verify()
    }
    #expect(elapsed < .seconds(20), "\(architecture.name): \(String(decoding: bytes, as: UTF8.self))")
  }
}

extension JSON {
  /// What is put in place of values: other types, and numbers that arithmetic does not survive.
  private static let strangers: [JSON] = [
    .null, .bool(true), .bool(false), .int(0), .int(-1), .int(1), .int(2), .int(3), .int(7), .int(1 << 31),
    .int(1 << 40),
    .int(.max), .int(.min), .int(.max - 1), .double(0.5), .double(-1), .double(1e30), .double(.nan),
    .double(.infinity), .string(""), .string("same"), .string("channels_first"), .string("causal"),
    .string("Dense"),
    .array([]), .array([.int(0)]), .array([.int(1), .int(1)]), .array([.int(-1), .int(.max)]),
    .array([.int(.max), .int(.max), .int(.max)]), .array([.null, .int(1 << 20), .int(1 << 20)]),
    .array([.array([.int(1), .int(2)])]), .object(JSONObject()),
  ]

  /// The number of values in it, itself included.
  fileprivate var count: Int {
    switch self {
    case .array(let elements): elements.reduce(1) { $0 + $1.count }
    case .object(let object): object.members.reduce(1) { $0 + $1.value.count }
    default: 1
    }
  }

  /// Changes the value at `place`, counted depth first; `place` is negative after it.
  fileprivate mutating func mutate(at place: inout Int, _ random: inout SplitMix64) {
    defer { place -= 1 }
    if place == 0 { return self = mutated(&random) }
    place -= 1
    switch self {
    case .array(var elements):
      for index in elements.indices where place >= 0 { elements[index].mutate(at: &place, &random) }
      self = .array(elements)
    case .object(var object):
      for index in object.members.indices where place >= 0 {
        object.members[index].value.mutate(at: &place, &random)
      }
      self = .object(object)
    default: break
    }
    place += 1
  }

  private func mutated(_ random: inout SplitMix64) -> JSON {
    switch self {
    case .array(var elements) where !elements.isEmpty && Bool.random(using: &random):
      let index = Int.random(in: elements.indices, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      default: elements.swapAt(index, Int.random(in: elements.indices, using: &random))
      }
      return .array(elements)
    case .object(var object) where !object.members.isEmpty && Bool.random(using: &random):
      let index = Int.random(in: object.members.indices, using: &random)
      let other = Int.random(in: object.members.indices, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: object.members.remove(at: index)
      case 1: object.members[index].value = object.members[other].value
      default: object.members[index].name = object.members[other].name
      }
      return .object(object)
    default: return Self.strangers.randomElement(using: &random) ?? .null
    }
  }

  /// As JSON text.
  fileprivate var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .double(let value):
      value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
    case .string(let value): Self.quoted(value)
    case .array(let elements): "[\(elements.map(\.text).joined(separator: ","))]"
    case .object(let object):
      "{\(object.members.map { "\(Self.quoted($0.name)):\($0.value.text)" }.joined(separator: ","))}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      scalar == "\"" || scalar == "\\"
        ? "\\\(scalar)" : scalar.value < 0x20 ? String(format: "\\u%04x", scalar.value) : "\(scalar)"
    }
    return "\"\(escaped.joined())\""
  }
}
