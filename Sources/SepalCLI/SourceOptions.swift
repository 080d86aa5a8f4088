import ArgumentParser
import Sepal

/// What a model of unknown origin may need besides its path; shared by the commands that read models.
struct SourceOptions: ParsableArguments {
  /// What commands take, for their help.
  static let formats = ".onnx, .h5, .keras, a Keras architecture in .json with --weights, or .sepal"

  @Option(
    name: .customLong("shape"), help: "Fix an input's shape, as in image=1x3x224x224. Repeat per input.")
  var arguments: [ShapeArgument] = []

  @Option(help: "The HDF5 file with a Keras model's weights, where they are not in its own file.")
  var weights: String?

  func shapes() throws(SepalError) -> [String: [Int]] {
    var shapes: [String: [Int]] = [:]
    for argument in arguments {
      guard shapes.updateValue(argument.shape, forKey: argument.name) == nil else {
        throw SepalError(.usage, "--shape names input '\(argument.name)' twice")
      }
    }
    return shapes
  }

  /// Reads the model that these options are for, and says what was assumed.
  func load(_ path: String, _ contents: StoredContents = .everything) throws(SepalError) -> ModelFile {
    let file = try ModelFile(path: path, shapes: try shapes(), weights: weights, contents: contents)
    for note in file.notes { FileHandle.error.write("note: \(note)\n") }
    return file
  }
}

/// `name=1x3x224x224`.
struct ShapeArgument: ExpressibleByArgument {
  var name: String
  var shape: [Int]

  init?(argument: String) {
    guard let separator = argument.lastIndex(of: "=") else { return nil }
    let dims = argument[argument.index(after: separator)...].split(
      separator: "x", omittingEmptySubsequences: false)
    shape = dims.compactMap { Int($0) }
    name = String(argument[..<separator])
    guard shape.count == dims.count, shape.allSatisfy({ $0 > 0 }), !name.isEmpty else { return nil }
  }
}

extension ImagePreprocessing: ExpressibleByArgument {
  static var help: ArgumentHelp {
    let recipes = allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")
    return ArgumentHelp("How images become inputs: \(recipes).")
  }
}
