import SepalTensor

/// Repeats x along axes where its extent is 1 (or that it lacks in front) until it has `shape`.
/// - Inputs: x, any type, broadcastable to `shape`. Outputs: `shape`.
/// - Source: ONNX Expand-13; ConstantOfShape-9 as the expansion of a scalar. Importers resolve two-way broadcasting.
public struct Expand: Operator {
  public static let schema = OperatorSchema(
    "Expand", inputs: ["x"], attributes: [AttributeField("shape", \Expand.shape)])
  public var shape: [Int] = []

  public init() {}
  public init(shape: [Int]) { self.shape = shape }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard broadcastShape(inputs[0].shape, shape) == shape else {
      throw OperatorError("'shape' is \(shape), to which x \(inputs[0]) does not broadcast")
    }
    return [try checkedType(inputs[0].element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    [inputs[0].region(shape, strides: broadcastStrides(inputs[0].shape, to: shape))]
  }
}
