import SepalTensor

/// Why a Keras file or model was refused: what is wrong, where, and what was expected.
public struct KerasError: Error, Sendable, Hashable {
  public enum Code: Sendable, Hashable, CaseIterable {
    /// There is no such file.
    case missingFile
    /// The file could not be opened.
    case unreadable
    /// The bytes are not well-formed HDF5, zip or JSON.
    case malformed
    /// Well-formed, but deeper or larger than the limits of the reader allow.
    case limit
    /// The configuration or the weights contradict each other or what Keras writes.
    case invalid
    /// A legal construct that Sepal does not import.
    case unsupported
  }

  public var code: Code
  /// The file, as the user named it.
  public var file: String?
  /// The layer's path: names from the outermost model inwards, such as `mobilenet/conv1`.
  public var layer: String?
  /// The layer's class, such as `Conv2D`.
  public var className: String?
  /// The configuration entry that `message` is about; `message` continues the sentence that starts with it.
  public var field: String?
  public var message: String

  public init(
    _ code: Code, _ message: String, file: String? = nil, layer: String? = nil, className: String? = nil,
    field: String? = nil
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.layer = layer
    self.className = className
    self.field = field
  }
}

extension KerasError: CustomStringConvertible {
  /// One line from the outside in:
  /// `model.h5: layer 'block1/conv' (Conv2D): 'strides' has 3 values, expected 2`.
  public var description: String {
    var line = ""
    if let file { line += "\(file.printable()): " }
    if let layer {
      line += "layer '\(layer.printable())'"
      if let className { line += " (\(className.printable()))" }
      line += ": "
    }
    if let field { line += "'\(field.printable())' " }
    return line + message.printable(limit: 8_000)
  }
}
