import SepalGraph
import SepalImages
import SepalNumpy
import SepalTensor

/// Input tensors collected from `.npy`, `.npz`, JPEG and PNG files.
public struct NamedArrays: Sendable {
  public private(set) var arrays: [String: Tensor] = [:]
  /// How images become inputs; without it there can be none.
  private let preprocessing: ImagePreprocessing?

  public init(preprocessing: ImagePreprocessing? = nil) { self.preprocessing = preprocessing }

  /// Adds `name=F.npy`, `name=F.npz` (its only member), `name=F.jpg` or `name=F.png`, or `F.npz` (members named like
  /// inputs). A bare `F.npy`, `F.jpg` or `F.png` goes to the graph's only input.
  public mutating func add(_ argument: String, for graph: Graph) throws(SepalError) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    let path = parts.last ?? argument
    if Image.isImage(path) {
      let name = try parts.count == 2 ? parts[0] : onlyInput(of: graph, for: path)
      guard let id = graph.inputs.first(where: { graph.value($0).name == name }) else {
        throw SepalError(.usage, "the model has no input '\(name)'")
      }
      try insert(name, try .image(path, for: name, graph.type(of: id), by: preprocessing))
      return
    }
    let read: [String: Tensor]
    do {
      read = try NumpyFile.read(path: path)
    } catch {
      throw SepalError(error)
    }
    if parts.count == 2 {
      guard let array = read.first?.value, read.count == 1 else {
        throw SepalError(.usage, "\(path): has \(read.count) arrays, expected one for input '\(parts[0])'")
      }
      try insert(parts[0], array)
    } else if let array = read[""] {
      try insert(try onlyInput(of: graph, for: path), array)
    } else {
      let names = Set(graph.inputs.map { graph.value($0).name })
      // An archive may hold more than inputs, such as expected outputs.
      for (name, array) in read.sorted(by: { $0.key < $1.key }) where names.contains(name) {
        try insert(name, array)
      }
    }
  }

  private func onlyInput(of graph: Graph, for path: String) throws(SepalError) -> String {
    guard graph.inputs.count == 1 else {
      throw SepalError(.usage, "\(path): the model has \(graph.inputs.count) inputs, expected name=\(path)")
    }
    return graph.value(graph.inputs[0]).name
  }

  mutating func insert(_ name: String, _ array: Tensor) throws(SepalError) {
    guard arrays.updateValue(array, forKey: name) == nil else {
      throw SepalError(.usage, "input '\(name)' was given twice")
    }
  }

  /// The tensors that a run of `graph` needs, in the element types of its inputs. Every value must survive the
  /// conversion: float64 into float32 rounds, other changes must be exact.
  public func inputs(for graph: Graph) throws(SepalError) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let (name, type) = (graph.value(id).name, graph.type(of: id))
      guard let array = arrays[name] else {
        throw SepalError(.usage, "input '\(name)' was not given, expected \(type)")
      }
      guard array.shape == type.shape else {
        throw SepalError(.badData, "input '\(name)' is \(array.type), expected \(type)")
      }
      let converted = array.converted(to: type.element)
      let isRounding = array.element.isFloat && type.element.isFloat
      guard isRounding || converted.doubles() == array.doubles() else {
        throw SepalError(.badData, "input '\(name)' is \(array.type), which does not fit \(type)")
      }
      inputs[name] = converted
    }
    let known = Set(inputs.keys)
    if let unknown = arrays.keys.filter({ !known.contains($0) }).min() {
      let names = known.sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw SepalError(.usage, "the model has no input '\(unknown)', it has \(names)")
    }
    return inputs
  }
}

extension Tensor {
  /// What an image file is as an input of that name and type.
  static func image(
    _ path: String, for input: String, _ type: TensorType, by preprocessing: ImagePreprocessing?
  ) throws(SepalError) -> Tensor {
    guard let preprocessing else {
      let choices = ImagePreprocessing.allCases.map { "\n  \($0.rawValue): \($0.summary)" }.joined()
      throw SepalError(
        .usage, "\(path): a model does not say how images become its inputs; --preprocess does:\(choices)")
    }
    do throws(ImageError) {
      return try preprocessing.tensor(of: Image(path: path), as: type)
    } catch {
      var error = error
      error.path = path
      if error.code == .unsuitable { error.message = "input '\(input)': \(error.message)" }
      throw SepalError(error)
    }
  }
}
