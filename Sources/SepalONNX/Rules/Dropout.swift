import SepalGraph
import SepalTensor

extension ImportRules {
  /// Dropout-7, -10, -12, -13, -22 in inference: x itself; the mask, when read, keeps everything.
  static func dropout(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    if let training = try context.constantScalar(2, "training_mode"), training.booleans()[0] {
      throw context.node.error(
        .unsupported, "is true; only inference is supported", tensor: context.node.inputs[2])
    }
    let output = try context.identity(x)
    guard context.isRead(output: 1) else { return [output] }
    let type = context.type(of: x)
    let kept = context.add(scalar: 1, context.opset < 10 ? type.element : .bool, step: "keep")
    return [output, try context.add(Expand(shape: type.shape), [kept], step: "mask")]
  }
}
