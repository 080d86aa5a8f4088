import SepalTensor

/// The matrix product over the last two axes, the others broadcast: numpy's `matmul`.
///
/// - Inputs: a `[…, M, K]` or `[K]`; b `[…, K, N]` or `[K]`, of one numeric type. Integers wrap.
/// - Outputs: `[…, M, N]`, without the axis of an operand of rank 1.
/// - Source: ONNX MatMul-13.
public struct MatMul: Operator {
  public static let schema = OperatorSchema("MatMul", inputs: ["a", .parameter("b")])
  public init() {}

  private struct Geometry {
    var matrix: MatrixProduct
    /// Leading axes of each operand and of the result.
    var aBatch, bBatch, batch: [Int]
    var output: TensorType
  }

  private func geometry(_ a: TensorType, _ b: TensorType) throws(OperatorError) -> Geometry {
    guard a.element == b.element, a.element != .bool else {
      throw OperatorError("a is \(a) and b is \(b), expected one numeric type")
    }
    guard a.rank > 0, b.rank > 0 else {
      throw OperatorError("a is \(a) and b is \(b), expected rank 1 or more")
    }
    let aShape = a.rank == 1 ? [1] + a.shape : a.shape
    let bShape = b.rank == 1 ? b.shape + [1] : b.shape
    let (aBatch, bBatch) = (Array(aShape.dropLast(2)), Array(bShape.dropLast(2)))
    let (rows, inner) = (aShape[aShape.count - 2], aShape[aShape.count - 1])
    guard bShape[bShape.count - 2] == inner, let batch = broadcastShape(aBatch, bBatch) else {
      throw OperatorError("shapes \(a) and \(b) do not multiply")
    }
    let columns = bShape[bShape.count - 1]
    let matrix = (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns])
    return Geometry(
      matrix: MatrixProduct(rows: rows, inner: inner, columns: columns), aBatch: aBatch, bBatch: bBatch,
      batch: batch, output: TensorType(a.element, batch + matrix))
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    [try geometry(inputs[0], inputs[1]).output]
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    saturatingProduct(outputs[0].shape + inputs[0].shape.suffix(1))
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (a, b) = (inputs[0], inputs[1])
    let geometry = try geometry(a.type, b.type)
    let output = geometry.output
    if let left = a.integers(), let right = b.integers() {
      let result = batched(geometry) { geometry.matrix.multiply(left, at: $0, right, at: $1) }
      return [Tensor(output.element, output.shape, integers: result)]
    }
    let (left, right) = (a.doubles(), b.doubles())
    let result = batched(geometry) { geometry.matrix.multiply(left, at: $0, right, at: $1) }
    return [Tensor(output.element, output.shape, doubles: result)]
  }

  /// Concatenates the products of all matrices, each given by the positions of its operands.
  private func batched<Number>(_ geometry: Geometry, _ multiply: (Int, Int) -> [Number]) -> [Number] {
    let matrix = geometry.matrix
    var result: [Number] = []
    guard geometry.output.count > 0 else { return [] }
    result.reserveCapacity(geometry.output.count)
    let strides = [geometry.aBatch, geometry.bBatch].map { broadcastStrides($0, to: geometry.batch) }
    forEachOffset(geometry.batch, strides: strides) { _, offsets in
      result += multiply(offsets[0] * matrix.rows * matrix.inner, offsets[1] * matrix.inner * matrix.columns)
    }
    return result
  }
}
