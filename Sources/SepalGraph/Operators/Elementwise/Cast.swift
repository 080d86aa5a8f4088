import SepalTensor

/// x in another element type.
///
/// Floating point rounds to nearest even; to integers it truncates and saturates, NaN becomes 0; integers wrap into
/// narrower ones; to bool, whatever is not zero is true.
/// - Inputs: x, any tensor. Outputs: `to`, same shape. Source: ONNX Cast-13.
public struct Cast: Operator {
  public static let schema = OperatorSchema(
    "Cast", inputs: ["x"], attributes: [AttributeField("to", \Cast.to)])
  public var to = ElementType.float32

  public init() {}
  public init(to: ElementType) { self.to = to }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    [TensorType(to, inputs[0].shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    [inputs[0].converted(to: to)]
  }
}
