import SepalTensor

/// What an ONNX file says, before any of it is interpreted. Tensors stay in the mapped file.
package struct ONNXModel: Sendable {
  package var irVersion: Int64
  /// Imported version per operator domain; the default domain, "ai.onnx" in newer files, is "".
  package var opsets: [String: Int]
  /// Name and version of the exporter, as far as it wrote them.
  package var producer: String
  package var graph: ONNXGraph
  /// Paths of the files that hold tensors outside the model.
  package var externalFiles: [String]
}

package struct ONNXGraph: Sendable {
  package var name: String
  /// In file order, which the specification demands to be topological; nothing has checked that.
  package var nodes: [ONNXNode]
  package var initializers: [ONNXTensor]
  /// Before IR version 4 this includes the initializers.
  package var inputs: [ONNXValueInfo]
  package var outputs: [ONNXValueInfo]
  package var valueInfo: [ONNXValueInfo]
}

package struct ONNXNode: Sendable {
  package var name: String
  package var opType: String
  /// "" is the default domain, also when the file spells it "ai.onnx".
  package var domain: String
  /// The imported version of `domain`; 0 when the model does not import it.
  package var opset: Int
  /// Position in the file, counted from 0.
  package var index: Int
  /// Value names; "" is an absent optional operand.
  package var inputs: [String]
  package var outputs: [String]
  package var attributes: [String: ONNXAttribute]

  /// What messages call this node.
  package var label: String { name.isEmpty ? "#\(index)" : name }

  /// An error about this node, or about one of its attributes: then `message` continues after its name.
  package func error(
    _ code: ONNXError.Code, _ message: String, attribute: String? = nil, tensor: String? = nil
  ) -> ONNXError {
    ONNXError(
      code, message, node: label, opType: domain.isEmpty ? opType : "\(domain).\(opType)", opset: opset,
      attribute: attribute, tensor: tensor)
  }
}

/// A graph input, output or annotated value.
package struct ONNXValueInfo: Sendable {
  package enum Kind: Sendable {
    /// `shape` is nil when even the rank is unknown. `dataType` may be `.undefined`.
    case tensor(dataType: ONNXDataType, shape: [Dimension]?)
    /// "sequence", "map", "optional", "sparse tensor" or "opaque".
    case other(String)
    case undeclared
  }

  package var name: String
  package var kind: Kind
}
