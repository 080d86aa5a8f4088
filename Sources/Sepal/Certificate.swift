import SepalFormat
import SepalGraph
import SepalRuntime
import SepalTensor
import SepalValidation

/// What a native file says about itself, tried on this machine. The keys of its JSON form are part of the command line's
/// contract.
public struct Certificate: Sendable, Codable {
  /// One output, over all golden vectors.
  public struct Output: Sendable, Codable {
    public var name: String
    /// Elements that were compared, and those that the output has.
    public var compared: Int
    public var count: Int
    public var maxAbs: Double
    /// Of the element that came closest to its bound or is furthest beyond.
    public var bound: Double
    public var ok: Bool
  }

  /// The file is as it was written, and what it computes here is what its source computes.
  public var equivalent: Bool
  /// Whether weights and graph are those that were written, bit by bit.
  public var intact: Bool
  /// Golden vectors that were replayed.
  public var vectors: Int
  public var instructionSet: String
  public var threads: Int
  public var sourceFormat: String
  public var sourceDigest: String
  public var toolVersion: String
  public var outputs: [Output]
  /// Where the file is not as it was written: the rewrites of its log whose constants are not there any more.
  public var changed: [Changed]?

  /// A rewrite of the log, its position from 1.
  public struct Changed: Sendable, Codable {
    public var rewrite: Int
    public var pass: String
    public var nodes: [String]
  }

  /// Replays the golden vectors of the native file at `path`.
  public init(path: String, threads: Int = 1) throws(SepalError) {
    let graph: Graph
    let digest: ContentDigest
    do throws(FormatError) {
      let storage = try Self.map(path)
      guard SepalReader.recognizes(storage.bytes) else {
        throw FormatError(
          .notSepal, "is not a .sepal file; give the model that it is to be compared with as well")
      }
      graph = try SepalReader().read(storage)
      digest = try ContentDigest(storage)
    } catch {
      throw SepalError(FormatError(error.code, path: path, error.message))
    }
    guard !graph.provenance.golden.isEmpty else {
      throw SepalError(
        .badData,
        "\(path): holds no golden vectors; convert its source with --golden, or compare with the source itself"
      )
    }
    let replay: GoldenReplay
    do {
      replay = try GoldenReplay(graph, options: ModelOptions(threads: threads))
    } catch {
      throw SepalError(.badData, "\(path): \(error)")
    }
    intact = digest.isIntact
    if !intact {
      changed = LoggedConstants(graph).faults.map {
        Changed(rewrite: $0.index + 1, pass: $0.record.pass, nodes: $0.record.after)
      }
    }
    equivalent = intact && replay.isEquivalent
    vectors = replay.vectors
    instructionSet = replay.instructionSet
    self.threads = threads
    sourceFormat = graph.provenance.sourceFormat
    sourceDigest = graph.provenance.sourceDigest
    toolVersion = graph.provenance.toolVersion
    outputs = replay.outputs.map {
      Output(
        name: $0.name, compared: $0.compared, count: $0.count, maxAbs: $0.maxAbsolute, bound: $0.bound,
        ok: $0.isWithinBounds)
    }
  }

  private static func map(_ path: String) throws(FormatError) -> TensorStorage {
    do {
      return try TensorStorage.mapping(path: path)
    } catch {
      throw FormatError(error.code == .missing ? .missing : .inaccessible, error.message)
    }
  }
}
