import SepalTensor

/// Why an ONNX file or graph was refused: what is wrong, where, and what was expected.
public struct ONNXError: Error, Sendable, Equatable {
  public enum Code: Sendable, Equatable, CaseIterable {
    /// There is no such file.
    case missingFile
    /// The file or one of its parts could not be opened.
    case unreadable
    /// The bytes are not a well-formed ONNX message.
    case malformed
    /// Well-formed, but deeper or larger than the limits of the reader allow.
    case limit
    /// External data outside the model's folder, or a range outside its file.
    case externalData
    /// The model contradicts the ONNX specification.
    case invalid
    /// A legal construct that Sepal does not import.
    case unsupported
  }

  public var code: Code
  /// The model file, as the user named it.
  public var file: String?
  /// The name of the node, or `#index` when it has none.
  public var node: String?
  public var opType: String?
  /// The version of the node's operator set that the model imports.
  public var opset: Int?
  /// The attribute that `message` is about; `message` continues the sentence that starts with it.
  public var attribute: String?
  /// The tensor that `message` is about.
  public var tensor: String?
  public var message: String

  public init(
    _ code: Code, _ message: String, file: String? = nil, node: String? = nil, opType: String? = nil,
    opset: Int? = nil, attribute: String? = nil, tensor: String? = nil
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.node = node
    self.opType = opType
    self.opset = opset
    self.attribute = attribute
    self.tensor = tensor
  }
}

extension ONNXError: CustomStringConvertible {
  /// One line from the outside in:
  /// `model.onnx: node 'conv1' (Conv, opset 13): 'pads' has 3 values, expected 4`.
  public var description: String {
    var line = ""
    if let file { line += "\(file.printable()): " }
    if let node {
      line += "node '\(node.printable())'"
      let details = [opType?.printable(), opset.map { "opset \($0)" }].compactMap { $0 }
      if !details.isEmpty { line += " (\(details.joined(separator: ", ")))" }
      line += ": "
    }
    if let tensor { line += "tensor '\(tensor.printable())': " }
    if let attribute { line += "'\(attribute.printable())' " }
    // Names inside a message are one of several; a list of what is unsupported needs room.
    return line + message.printable(limit: 8_000)
  }
}
