import SepalGraph
import SepalTensor

/// Turns an ONNX file into a graph of canonical operators over static shapes.
///
/// Everything that ONNX leaves to run time and that decides a shape (the target of a Reshape, the axes of a
/// reduction) must be computable from constants and input shapes; it becomes an attribute.
public struct ONNXImporter: Sendable {
  public struct Options: Sendable {
    /// Shapes of graph inputs, by name. Needed where the file leaves a dimension other than the first open.
    public var shapes: [String: [Int]]
    /// Graph inputs to replace by constants, by name. Overrides an initializer that is listed as an input.
    public var constants: [String: Tensor]

    public init(shapes: [String: [Int]] = [:], constants: [String: Tensor] = [:]) {
      self.shapes = shapes
      self.constants = constants
    }
  }

  /// The oldest operator set whose operators are understood.
  public static let oldestOpset = 7
  /// The newest operator set that the rules were written against; later ones may have changed what a node means.
  public static let newestOpset = 28

  public var options: Options

  public init(_ options: Options = Options()) { self.options = options }

  /// Reads and imports a model. Weights stay in the file, which is mapped while one of them is in use.
  public func load(path: String) throws(ONNXError) -> ImportedModel {
    let model = try ONNXModel(contentsOf: path)
    do throws(ONNXError) {
      return try load(model)
    } catch {
      var error = error
      error.file = path
      throw error
    }
  }

  /// Imports a model that was read before.
  package func load(_ model: ONNXModel) throws(ONNXError) -> ImportedModel {
    try refuseUnsupportedOperators(model.graph)
    try Self.check(opsets: model.opsets)
    let order = try executionOrder(of: model.graph)
    let builder = GraphImport(model, options)
    try builder.declareInputs()
    for index in order { try builder.importNode(model.graph.nodes[index]) }
    var imported = try builder.finish()
    imported.companions = model.externalFiles
    return imported
  }

  /// Operator types of the default domain that can be imported, sorted.
  public static var supportedOperators: [String] { ImportRules.byOpType.keys.sorted() }

  private static func check(opsets: [String: Int]) throws(ONNXError) {
    guard let version = opsets[""] else {
      throw ONNXError(.invalid, "names no version of the ONNX operator set (opset)")
    }
    guard (oldestOpset...newestOpset).contains(version) else {
      throw ONNXError(
        .unsupported,
        "is written for operator set (opset) \(version), expected \(oldestOpset) to \(newestOpset)")
    }
  }
}
