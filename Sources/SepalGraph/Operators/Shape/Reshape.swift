import SepalTensor

/// The same elements in row-major order under another shape.
/// - Inputs: x, any type. Outputs: `shape`, which has the element count of x.
/// - Source: ONNX Reshape-19, Flatten-13, Squeeze-13, Unsqueeze-13; importers resolve 0 and −1.
public struct Reshape: Operator {
  public static let schema = OperatorSchema(
    "Reshape", inputs: ["x"], attributes: [AttributeField("shape", \Reshape.shape)])
  public var shape: [Int] = []

  public init() {}
  public init(shape: [Int]) { self.shape = shape }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let output = try checkedType(inputs[0].element, shape)
    guard output.count == inputs[0].count else {
      throw OperatorError("'shape' \(shape) has \(output.count) elements, x is \(inputs[0])")
    }
    return [output]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    [inputs[0].reshaped(shape)]
  }
}
