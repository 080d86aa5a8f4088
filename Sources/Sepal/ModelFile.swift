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
  public let graph: Graph
  /// What was assumed on the way, one sentence each, such as a batch size.
  public let notes: [String]
  /// Size of the file and of the one with its weights; of the model itself where it refers to others.
  public let byteCount: Int

  /// - Parameters:
  ///   - shapes: shapes of inputs by name, for sources that leave dimensions open.
  ///   - weights: the HDF5 file with the weights of a Keras model, where they are not in its own file.
  public init(path: String, shapes: [String: [Int]] = [:], weights: String? = nil) throws(SepalError) {
    let storage = try Self.map(path)
    self.path = path
    format = withExtendedLifetime(storage) { Format(of: storage.bytes) }
    guard format == .keras || weights == nil else {
      throw SepalError(.usage, "\(path): holds its own weights, --weights is for Keras models")
    }
    byteCount = storage.bytes.count + (try weights.map(Self.map)?.bytes.count ?? 0)
    let imported: ImportedModel
    switch format {
    case .sepal:
      do {
        imported = ImportedModel(graph: try SepalReader().read(storage))
      } catch {
        throw SepalError(FormatError(error.code, path: path, error.message))
      }
      try Self.check(shapes, imported.graph, path)
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
  }

  private static func map(_ path: String) throws(SepalError) -> TensorStorage {
    do {
      return try TensorStorage.mapping(path: path)
    } catch {
      throw SepalError(error.code == .missing ? .missingFile : .inaccessible, error.description)
    }
  }

  /// The shapes of a native file are fixed.
  private static func check(_ shapes: [String: [Int]], _ graph: Graph, _ path: String) throws(SepalError) {
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let input = graph.inputs.first(where: { graph.value($0).name == name }) else {
        throw SepalError(.usage, "\(path): has no input '\(name)'")
      }
      guard graph.type(of: input).shape == shape else {
        throw SepalError(.usage, "\(path): input '\(name)' is fixed to \(graph.type(of: input))")
      }
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
