import SepalFormat
import SepalGraph
import SepalHDF5
import SepalKeras
import SepalONNX
import SepalTensor
import SepalZip

/// A model read from any supported format, told by the file's first bytes, not by its name.
public struct ModelFile: Sendable {
  public enum Format: String, Sendable, Codable {
    case onnx
    /// `.h5`, `.keras`, or an architecture in JSON.
    case keras
    case sepal
  }

  public let path: String
  public let format: Format
  /// As the source has it: not optimised, in the source's layout.
  public internal(set) var graph: Graph
  /// What was assumed on the way, one sentence each, such as a batch size.
  public let notes: [String]
  /// Size of all files in `sources`.
  public let byteCount: Int
  /// Paths of all files that hold the model, its own first; see `SourceDigest`.
  public let sources: [String]

  /// - Parameters:
  ///   - shapes: shapes of inputs by name, for sources that leave dimensions open. Of a native file only the batch
  ///     can change.
  ///   - weights: the HDF5 file with the weights of a Keras model, where they are not in its own file.
  ///   - contents: how much of a native file is read.
  public init(
    path: String, shapes: [String: [Int]] = [:], weights: String? = nil,
    contents: StoredContents = .everything
  ) throws(SepalError) {
    let storage = try Self.map(path)
    self.path = path
    format = withExtendedLifetime(storage) { Format(of: storage.bytes) }
    guard format == .keras || weights == nil else {
      throw SepalError(.usage, "\(path): holds its own weights, --weights is for Keras models")
    }
    let imported: ImportedModel
    switch format {
    case .sepal:
      let stored: Graph
      do {
        stored = try SepalReader(contents).read(storage)
      } catch {
        throw SepalError(FormatError(error.code, path: path, error.message))
      }
      imported = ImportedModel(graph: try Self.reshaped(stored, shapes, path))
    case .keras:
      do {
        imported = try KerasImporter(.init(shapes: shapes, weights: weights)).load(path: path)
      } catch {
        throw SepalError(error)
      }
    case .onnx:
      do {
        imported = try ONNXImporter(.init(shapes: shapes)).load(path: path)
      } catch {
        throw SepalError(error)
      }
    }
    graph = imported.graph
    notes = imported.notes
    sources = [path] + imported.companions
    var byteCount = storage.bytes.count
    for companion in imported.companions { byteCount += try Self.map(companion).bytes.count }
    self.byteCount = byteCount
  }

  private static func map(_ path: String) throws(SepalError) -> TensorStorage {
    do {
      return try TensorStorage.mapping(path: path)
    } catch {
      throw SepalError(error.code == .missing ? .missingFile : .inaccessible, error.description)
    }
  }

  /// A native file's model for other inputs than it was converted for.
  private static func reshaped(
    _ graph: Graph, _ shapes: [String: [Int]], _ path: String
  ) throws(SepalError) -> Graph {
    let changed = graph.inputs.contains { input in
      shapes[graph.value(input).name].map { $0 != graph.type(of: input).shape } ?? false
    }
    for name in shapes.keys.sorted() where !graph.inputs.contains(where: { graph.value($0).name == name }) {
      throw SepalError(.usage, "\(path): has no input '\(name)'")
    }
    guard changed else { return graph }
    do {
      return try graph.withInputShapes(shapes)
    } catch {
      throw SepalError(.usage, "\(path): \(error)")
    }
  }
}

extension ModelFile.Format {
  /// Files without any mark of another format are taken for ONNX, which has none.
  fileprivate init(of bytes: UnsafeRawBufferPointer) {
    if SepalReader.recognizes(bytes) {
      self = .sepal
    } else if HDF5File.recognizes(bytes) || ZipArchive.recognizes(bytes) || Self.looksLikeJSON(bytes) {
      self = .keras
    } else {
      self = .onnx
    }
  }

  /// An object: ONNX never starts with '{', which would be a group of field 15.
  private static func looksLikeJSON(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
    return text.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) } == UInt8(ascii: "{")
  }
}
