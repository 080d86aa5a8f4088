import SepalDigest
import SepalTensor
import SepalWire

/// The digest of a file's weights and graph, as it was when the file was written and as it is.
///
/// Unlike checksums, which are there for each part and which any program that changes the part sets anew, this one
/// stands beside the golden vectors and covers both parts whole.
public struct ContentDigest: Sendable, Hashable {
  /// Empty in a file that has none.
  public let recorded: String
  public let actual: String

  public var isIntact: Bool { recorded == actual }

  /// Reads a file, all of it.
  public init(_ storage: TensorStorage) throws(FormatError) {
    let sections = try SectionTable(storage.bytes)
    guard let weights = sections[.weights], let graph = sections[.graph] else {
      throw FormatError(.malformed, "has no section \(sections[.weights] == nil ? "WEIGHTS" : "GRAPH")")
    }
    var hasher = SHA256Hasher()
    hasher.update(UnsafeRawBufferPointer(rebasing: storage.bytes[weights.range]))
    let messages = try sections.contents(of: graph, in: storage)
    hasher.update(messages.bytes)
    actual = withExtendedLifetime((storage, messages)) { hasher.finish() }
    recorded =
      try sections[.golden].map { (section) throws(FormatError) in
        Self.recorded(in: try sections.contents(of: section, in: storage))
      } ?? ""
  }

  private static func recorded(in golden: TensorStorage) -> String {
    var cursor = WireCursor(golden.bytes, 0..<golden.bytes.count, schema: Schema.golden)
    while let field = try? cursor.next() {
      if field.number == 1 { return String(decoding: golden.bytes[field.value].prefix(64), as: UTF8.self) }
    }
    return ""
  }
}
