import SepalFormat
import SepalGraph
import SepalONNX
import SepalTensor

/// A model read from any supported format, told by the file's first bytes, not by its name.
public struct ModelFile: Sendable {
  public enum Format: String, Sendable, Codable {
    case onnx
    case sepal
  }

  public let path: String
  public let format: Format
  /// As the source has it: not optimised, in the source's layout.
  public let graph: Graph
  /// What was assumed on the way, one sentence each, such as a batch size.
  public let notes: [String]
  /// Size of the file; of the model itself where it refers to others.
  public let byteCount: Int

  /// - Parameter shapes: shapes of inputs by name, for sources that leave dimensions open.
  public init(path: String, shapes: [String: [Int]] = [:]) throws(SepalError) {
    let storage: TensorStorage
    do {
      storage = try TensorStorage.mapping(path: path)
    } catch {
      throw SepalError(error.code == .missing ? .missingFile : .inaccessible, error.description)
    }
    self.path = path
    byteCount = storage.bytes.count
    if withExtendedLifetime(storage, { SepalReader.recognizes(storage.bytes) }) {
      format = .sepal
      notes = []
      do {
        graph = try SepalReader().read(path: path)
      } catch {
        throw SepalError(error)
      }
      try Self.check(shapes, graph, path)
    } else {
      format = .onnx
      let imported: ImportedModel
      do {
        imported = try ONNXImporter(.init(shapes: shapes)).load(path: path)
      } catch {
        throw SepalError(error)
      }
      graph = imported.graph
      notes = imported.notes
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
