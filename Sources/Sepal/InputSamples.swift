import SepalGraph
import SepalImages
import SepalONNX
import SepalTensor
import SepalValidation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Inputs of a model as files hold them, one sample or many; each is read when it is asked for.
public struct InputSamples: Sendable {
  private enum Source: Sendable {
    case arrays([String: Tensor])
    case batch(CalibrationSamples)
    /// Folders of `input_0.pb`, `input_1.pb` and so on.
    case dataSets([String])
    case images([String])
  }

  public let count: Int
  private let path: String
  private let source: Source
  private let graph: Graph
  private let preprocessing: ImagePreprocessing?

  /// Reads one of these:
  /// - arguments that `NamedArrays` takes, together one sample;
  /// - one `F.npz` or `F.npy` alone, with one sample or many along the first axis, or a folder of `.npy` files: see
  ///   `CalibrationSamples`;
  /// - a folder with `test_data_set_0`, `test_data_set_1` and so on, as they come with ONNX models, or one of those;
  /// - a folder of JPEG and PNG files, each a sample of a model with one input.
  ///
  /// - Parameter preprocessing: how images become inputs; without it there can be none.
  public init(
    _ arguments: [String], for graph: Graph, preprocessing: ImagePreprocessing? = nil
  ) throws(SepalError) {
    self.graph = graph
    self.preprocessing = preprocessing
    path = arguments.joined(separator: ", ")
    if arguments.count == 1, let folders = Self.dataSets(path) {
      (source, count) = (.dataSets(folders), folders.count)
    } else if arguments.count == 1, let images = Self.images(path) {
      (source, count) = (.images(images), images.count)
    } else if arguments.count == 1, !path.contains("="), !Image.isImage(path) {
      let samples = try CalibrationSamples(path: path, for: graph)
      (source, count) = (.batch(samples), samples.count)
    } else {
      var arrays = NamedArrays(preprocessing: preprocessing)
      for argument in arguments { try arrays.add(argument, for: graph) }
      (source, count) = (.arrays(try arrays.inputs(for: graph)), 1)
    }
  }

  /// - Requires: an index below `count`.
  public func sample(_ index: Int) throws(SepalError) -> ValidationSample {
    switch source {
    case .arrays(let arrays): return ValidationSample(name: path, inputs: arrays)
    case .batch(let samples): return ValidationSample(name: "\(path)[\(index)]", inputs: samples[index])
    case .images(let files):
      var arrays = NamedArrays(preprocessing: preprocessing)
      try arrays.add(files[index], for: graph)
      return ValidationSample(name: files[index], inputs: try arrays.inputs(for: graph))
    case .dataSets(let folders):
      return ValidationSample(name: folders[index], inputs: try dataSet(folders[index]))
    }
  }

  /// Nil where there are none.
  private static func images(_ path: String) -> [String]? {
    let images = (namesInFolder(path) ?? []).sorted().map { "\(path)/\($0)" }.filter { Image.isImage($0) }
    return images.isEmpty ? nil : images
  }

  /// Nil where there are none.
  private static func dataSets(_ path: String) -> [String]? {
    guard let names = namesInFolder(path) else { return nil }
    if names.contains("input_0.pb") { return [path] }
    let folders = names.filter { $0.hasPrefix("test_data_set_") }
      .sorted { ($0.count, $0) < ($1.count, $1) }
    return folders.isEmpty ? nil : folders.map { "\(path)/\($0)" }
  }

  /// Tensors belong to the inputs that they are named like, and those without such a name to inputs in order.
  private func dataSet(_ folder: String) throws(SepalError) -> [String: Tensor] {
    var arrays = NamedArrays()
    let names = graph.inputs.map { graph.value($0).name }
    for (index, name) in names.enumerated() {
      let (label, tensor): (String, Tensor)
      do throws(ONNXError) {
        let read = try ONNXTensor(contentsOf: "\(folder)/input_\(index).pb")
        (label, tensor) = (read.name, try read.tensor())
      } catch {
        throw SepalError(error)
      }
      try arrays.insert(names.contains(label) ? label : name, tensor)
    }
    return try arrays.inputs(for: graph)
  }
}

/// Nil where `path` is no folder that can be read.
func namesInFolder(_ path: String) -> [String]? {
  guard let folder = opendir(path) else { return nil }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    names.append(
      withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
  }
  return names
}
