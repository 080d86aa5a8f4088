import SepalTensor

/// Repeats the whole tensor `repeats[i]` times along axis i.
/// - Inputs: x, any type. Outputs: same type, each extent times its repeats, which may be 0. Source: ONNX Tile-13.
public struct Tile: Operator {
  public static let schema = OperatorSchema(
    "Tile", inputs: ["x"], attributes: [AttributeField("repeats", \Tile.repeats)])
  public var repeats: [Int] = []

  public init() {}
  public init(repeats: [Int]) { self.repeats = repeats }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard repeats.count == x.rank, repeats.allSatisfy({ $0 >= 0 }) else {
      throw OperatorError("'repeats' is \(repeats), expected \(x.rank) non-negative values")
    }
    var shape: [Int] = []
    for (extent, count) in zip(x.shape, repeats) {
      let (product, overflow) = extent.multipliedReportingOverflow(by: count)
      guard !overflow else { throw OperatorError("the output is too large") }
      shape.append(product)
    }
    return [try checkedType(x.element, shape)]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    guard output.count > 0 else { return [Tensor(output) { _ in }] }
    // The output as [repeats₀, extent₀, repeats₁, extent₁, …], where repeating is a stride of zero.
    let interleaved = zip(repeats, x.shape).flatMap { [$0, $1] }
    let strides = rowMajorStrides(x.shape).flatMap { [0, $0] }
    return [x.region(interleaved, strides: strides).reshaped(output.shape)]
  }
}
