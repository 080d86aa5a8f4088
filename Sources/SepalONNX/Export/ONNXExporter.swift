import SepalGraph
import SepalTensor

/// Writes a graph as an ONNX model of standard operators.
///
/// Operators that know layouts are written channels-first; one that is channels-last gets transposes around it, so a graph
/// should be brought to one layout before. Fused operators are unfolded. Weights are written from where they are, without
/// a copy in memory.
public struct ONNXExporter: Sendable {
  /// The operator sets that can be written.
  public static let opsets = 13...ONNXImporter.newestOpset

  public struct Options: Sendable, Hashable {
    /// The operator set to write in, one of `opsets`.
    public var opset = 17
    /// Weights go to a file of their own beside the model; they do in any case when the model would exceed 2 GB, the
    /// most that a protobuf message may have.
    public var usesExternalData = false
    /// What the model names as its producer's version.
    public var producerVersion = ""
    /// The most bytes that the model may have.
    package var messageLimit = 1 << 31 - 1

    public init() {}
  }

  public struct Result: Sendable, Hashable {
    public var nodeCount: Int
    /// Of the model and, where there is one, the file with its weights.
    public var byteCount: Int
    /// The file with the weights, which has to stay beside the model; nil where they are in the model.
    public var weightsPath: String?
  }

  private let options: Options

  public init(_ options: Options = Options()) { self.options = options }

  /// Names of the operators of the graph that have a rule.
  package static var operators: Set<String> { Set(ExportRules.byOperator.keys) }

  /// Writes `graph`, which verifies, to `path`, and its weights to `path` + ".data" where they do not fit into the model.
  ///
  /// - Throws: `unsupported` for an operator that the operator set cannot express, naming the node, and for a model of more
  ///   than 2 GB without its weights; `unreadable` or
  ///   `missingFile` when the system refuses. Files of the same name stay as they are until the new ones are complete.
  @discardableResult
  public func write(_ graph: Graph, to path: String) throws(ONNXError) -> Result {
    let model: ExportedModel
    do {
      model = try export(graph)
    } catch {
      throw ONNXError(
        error.code, error.message, file: path, node: error.node, opType: error.opType, opset: error.opset)
    }
    let written: ModelWriter.Written?
    do {
      written = try ModelWriter(model, options).write(to: path)
    } catch {
      throw ONNXError(error.code == .missing ? .missingFile : .unreadable, error.message, file: path)
    }
    guard let written else {
      throw ONNXError(
        .unsupported,
        "is more than \(options.messageLimit) bytes without its weights, which protobuf does not allow",
        file: path)
    }
    return Result(
      nodeCount: model.nodes.count, byteCount: written.byteCount, weightsPath: written.weightsPath)
  }

  /// The graph as nodes of the operator set.
  func export(_ graph: Graph) throws(ONNXError) -> ExportedModel {
    guard Self.opsets.contains(options.opset) else {
      throw ONNXError(
        .unsupported,
        "operator set (opset) \(options.opset) cannot be written, expected \(Self.opsets.lowerBound) to \(Self.opsets.upperBound)"
      )
    }
    let model = ExportedModel(name: graph.name.isEmpty ? "graph" : graph.name)
    for input in graph.inputs { model.addInput(input, of: graph) }
    for node in graph.nodes {
      guard let rule = ExportRules.byOperator[node.op.name] else {
        throw ONNXError(.unsupported, "cannot be written as ONNX", node: node.name, opType: node.op.name)
      }
      let mark = model.mark
      let results = try rule(NodeExport(node: node, opset: options.opset, graph: graph, model: model))
      for (id, result) in zip(node.outputs, results) {
        if let result { model.bind(id, of: graph, to: result, madeAfter: mark) }
      }
    }
    for output in graph.outputs { model.addOutput(output, of: graph) }
    return model
  }
}
