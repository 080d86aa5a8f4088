import SepalGraph
import SepalTensor

extension ExportRules {
  /// Cast-13.
  static func cast(_ op: Cast, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Cast", node.inputs, ["to": .int(Int(ONNXDataType(op.to).rawValue))])]
  }

  /// Mod-13. With floating point ONNX only has the remainder in the sign of the dividend; where the divisor has the other
  /// sign, it is added once.
  static func modulo(_ op: Mod, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let element = node.outputType.element
    if op.fmod || !element.isFloat {
      return [node.add("Mod", node.inputs, ["fmod": .int(op.fmod ? 1 : 0)])]
    }
    let divisor = node.input(1)
    let remainder = node.add("Mod", node.inputs, ["fmod": .int(1)], step: "remainder")
    let signs = node.add(
      "Mul",
      [
        node.add("Sign", [remainder], step: "remainder/sign"),
        node.add("Sign", [divisor], step: "divisor/sign"),
      ], step: "signs")
    let differs = node.add("Less", [signs, node.add(scalar: 0, element, step: "zero")], step: "differs")
    let corrected = node.add("Add", [remainder, divisor], step: "corrected")
    return [node.add("Where", [differs, corrected, remainder])]
  }
}
