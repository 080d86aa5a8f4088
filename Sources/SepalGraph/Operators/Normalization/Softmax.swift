import SepalTensor

/// eˣ/Σ eˣ along `axis`, with the maximum taken off first so that nothing overflows.
/// - Inputs: x, float, rank 1 or more. Outputs: same type and shape. Source: ONNX Softmax-13.
public struct Softmax: Operator {
  public static let schema = OperatorSchema(
    "Softmax", inputs: ["x"], attributes: [AttributeField("axis", \Softmax.axis)])
  public var axis = -1

  public init() {}
  public init(axis: Int) { self.axis = axis }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    try inputs[0].requireFloat("x")
    _ = try normalizedAxis(axis, rank: inputs[0].rank)
    return [inputs[0]]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    var result = x.doubles()
    forEachLine(x.shape, along: try normalizedAxis(axis, rank: x.shape.count)) { line in
      let maximum = line.reduce(-.infinity) { max($0, result[$1]) }
      for index in line { result[index] = (result[index] - maximum).exponential }
      let sum = line.reduce(0) { $0 + result[$1] }
      for index in line { result[index] /= sum }
    }
    return [Tensor(x.element, x.shape, doubles: result)]
  }
}
