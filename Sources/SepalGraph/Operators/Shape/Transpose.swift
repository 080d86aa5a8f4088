import SepalTensor

/// Reorders axes: axis i of the output is axis `permutation[i]` of x.
/// - Inputs: x, any type. Outputs: same type, permuted shape. Source: ONNX Transpose-13.
public struct Transpose: Operator {
  public static let schema = OperatorSchema(
    "Transpose", inputs: ["x"], attributes: [AttributeField("permutation", \Transpose.permutation)])
  public var permutation: [Int] = []

  public init() {}
  public init(permutation: [Int]) { self.permutation = permutation }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard permutation.sorted() == Array(0..<x.rank) else {
      throw OperatorError("'permutation' is \(permutation), expected each axis of \(x) once")
    }
    return [TensorType(x.element, permutation.map { x.shape[$0] })]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let strides = rowMajorStrides(x.shape)
    return [x.region(permutation.map { x.shape[$0] }, strides: permutation.map { strides[$0] })]
  }
}
