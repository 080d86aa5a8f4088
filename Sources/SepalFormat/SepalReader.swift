import SepalGraph
import SepalTensor

/// How much of a `.sepal` file is read.
public enum StoredContents: Sendable {
  case everything
  /// What running the model takes: not where it came from, which is neither read nor checked.
  case model
}

/// Reads `.sepal` files. Everything is checked before it is used: lengths, offsets, overlap, checksums, and
/// that the declared sizes are justified by the bytes that are there.
public struct SepalReader {
  private let contents: StoredContents

  public init(_ contents: StoredContents = .everything) { self.contents = contents }

  /// The graph stored at `path`. Constants stored as they are stay in the file, which remains mapped.
  public func read(path: String) throws(FormatError) -> Graph {
    let storage: TensorStorage
    do {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw FormatError(error.code == .missing ? .missing : .inaccessible, path: path, error.message)
    }
    do {
      return try read(storage)
    } catch {
      throw FormatError(error.code, path: path, error.message)
    }
  }

  /// The graph in `storage`, which holds a whole file.
  public func read(_ storage: TensorStorage) throws(FormatError) -> Graph {
    let sections = try SectionTable(storage.bytes)
    guard let weights = sections[.weights] else { throw FormatError(.malformed, "has no section WEIGHTS") }
    guard weights.flags.contains(.itemChecksums), weights.codec == SectionCodec.none.rawValue else {
      throw FormatError(.malformed, "section WEIGHTS is not stored item by item")
    }
    let constants = ConstantReader(storage: storage, section: weights.range)
    let decoder = GraphDecoder(
      // What the graph takes in memory is of the order of its messages; the constant lets small files be terse.
      memory: 40 << 20 + storage.bytes.count + 3 * sections.rawByteCount, constants: constants)
    guard let graph = sections[.graph] else { throw FormatError(.malformed, "has no section GRAPH") }
    try decoder.decodeGraph(try sections.contents(of: graph, in: storage))
    guard contents == .everything else { return decoder.graph }
    if let origins = sections[.origins] {
      try decoder.decodeOrigins(try sections.contents(of: origins, in: storage))
    }
    if let rewrites = sections[.rewrites] {
      try decoder.decodeRewrites(try sections.contents(of: rewrites, in: storage))
    }
    if let golden = sections[.golden] {
      try decoder.decodeGolden(try sections.contents(of: golden, in: storage))
    }
    return decoder.graph
  }

  /// Whether the bytes begin like a `.sepal` file.
  public static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= Layout.magic.count && bytes.prefix(Layout.magic.count).elementsEqual(Layout.magic)
  }
}
