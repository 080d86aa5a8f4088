import SepalGraph
import SepalNumpy
import SepalTensor

/// Samples of a model's inputs, from a file with a batch of them or a folder of files.
public struct CalibrationSamples: Sendable {
  public let count: Int
  /// By input; one for each sample.
  private let tensors: [String: [Tensor]]

  public subscript(index: Int) -> [String: Tensor] { tensors.mapValues { $0[index] } }

  /// Reads `F.npz` with an array for each input under its name (other arrays are left alone), or, for a model with one
  /// input, `F.npy` or a folder of `.npy` files in the order of their names. An array holds one sample, with or without
  /// its axis of batches, or many along the first axis; element types are converted where no value changes.
  ///
  /// - Parameter mostSamples: the first so many are used.
  public init(path: String, for graph: Graph, mostSamples: Int = 1024) throws(SepalError) {
    var tensors: [String: [Tensor]] = [:]
    let names = graph.inputs.map { graph.value($0).name }
    for (file, arrays) in try Self.arrays(path, names) {
      for id in graph.inputs {
        let (name, type) = (graph.value(id).name, graph.type(of: id))
        guard let array = arrays[name] else { continue }
        let rest = mostSamples - (tensors[name]?.count ?? 0)
        tensors[name, default: []] += try Self.samples(
          of: array, type, limit: rest, "\(file): array for input '\(name)'")
      }
    }
    let counts = names.map { tensors[$0]?.count ?? 0 }
    guard let count = counts.first, count > 0, counts.allSatisfy({ $0 == count }) else {
      let found = zip(names, counts).map { "'\($0)': \($1)" }.joined(separator: ", ")
      throw SepalError(.badData, "\(path): expected as many samples of every input, found \(found)")
    }
    (self.count, self.tensors) = (count, tensors)
  }

  private static func arrays(
    _ path: String, _ names: [String]
  ) throws(SepalError) -> [(file: String, arrays: [String: Tensor])] {
    var files = [path]
    if let names = namesInFolder(path) {
      files = names.filter { $0.hasSuffix(".npy") }.sorted().map { "\(path)/\($0)" }
      guard !files.isEmpty else { throw SepalError(.badData, "\(path): no .npy file in this folder") }
    }
    var result: [(file: String, arrays: [String: Tensor])] = []
    for file in files {
      var arrays: [String: Tensor]
      do throws(NumpyError) {
        arrays = try NumpyFile.read(path: file)
      } catch {
        throw SepalError(error)
      }
      // A .npy file's array has no name.
      if let only = arrays.removeValue(forKey: "") {
        guard let name = names.first, names.count == 1 else {
          throw SepalError(
            .usage,
            "\(file): the model has \(names.count) inputs, expected an .npz file with arrays of their names")
        }
        arrays[name] = only
      }
      result.append((file, arrays))
    }
    return result
  }

  private static func samples(
    of array: Tensor, _ type: TensorType, limit: Int, _ what: String
  ) throws(SepalError) -> [Tensor] {
    var shape = array.shape
    if shape == Array(type.shape.dropFirst()) { shape.insert(1, at: 0) }
    guard shape.count == type.rank, let batch = type.shape.first, batch > 0,
      shape.dropFirst() == type.shape.dropFirst(),
      shape[0] >= batch
    else {
      let rest = type.shape.dropFirst().map(String.init).joined(separator: ", ")
      throw SepalError(.badData, "\(what) is \(array.type), expected [samples, \(rest)]")
    }
    let count = max(0, min(limit, shape[0] / batch))
    let bytes = array.byteCount / shape[0] * batch
    var samples: [Tensor] = []
    for index in 0..<count {
      let sample = Tensor(
        TensorType(array.element, type.shape), storage: array.storage,
        byteOffset: array.byteOffset + index * bytes)
      let converted = sample.converted(to: type.element)
      guard array.element.isFloat && type.element.isFloat || converted.doubles() == sample.doubles() else {
        throw SepalError(.badData, "\(what) is \(array.type), which does not fit \(type.element)")
      }
      samples.append(converted)
    }
    return samples
  }
}
