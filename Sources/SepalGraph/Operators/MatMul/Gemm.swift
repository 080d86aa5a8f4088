import SepalTensor

/// act(alpha·A·B + beta·c), A = a or aᵀ, B = b or bᵀ. The dense layer.
///
/// - Inputs: a `[M, K]` (`[K, M]` with transA); b `[K, N]` (`[N, K]` with transB); c, optional, broadcasting to
///   `[M, N]`; all of one float type.
/// - Outputs: `[M, N]`.
/// - Source: ONNX Gemm-13. Canonical after the passes: alpha = beta = 1, transA false.
public struct Gemm: ActivatedOperator {
  public static let schema = OperatorSchema(
    "Gemm", inputs: ["a", .parameter("b"), .optionalParameter("c")],
    attributes: [
      AttributeField("transA", \Gemm.transA), AttributeField("transB", \Gemm.transB),
      AttributeField("alpha", \Gemm.alpha), AttributeField("beta", \Gemm.beta),
      AttributeField("activation", \Gemm.activation),
    ])
  public var transA = false
  public var transB = false
  public var alpha = 1.0
  public var beta = 1.0
  public var activation = Activation.identity

  public init() {}
  public init(
    transA: Bool = false, transB: Bool = false, alpha: Double = 1, beta: Double = 1,
    activation: Activation = .identity
  ) {
    self.transA = transA
    self.transB = transB
    self.alpha = alpha
    self.beta = beta
    self.activation = activation
  }

  private func product(_ a: TensorType, _ b: TensorType) throws(OperatorError) -> MatrixProduct {
    try a.requireFloat("a")
    try a.requireRank(2...2, "a")
    try b.requireRank(2...2, "b")
    let (rows, inner) = transA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let columns = transB ? b.shape[0] : b.shape[1]
    try b.require(a.element, transB ? [columns, inner] : [inner, columns], "b")
    return MatrixProduct(rows: rows, inner: inner, columns: columns, transA: transA, transB: transB)
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let product = try product(inputs[0], inputs[1])
    let output = TensorType(inputs[0].element, [product.rows, product.columns])
    try inputs.optional(2)?.require(output.element, broadcastingTo: output.shape, "c")
    return [output]
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    saturatingProduct(outputs[0].shape + [inputs[0].shape[transA ? 0 : 1]])
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (a, b) = (inputs[0], inputs[1])
    let product = try product(a.type, b.type)
    let shape = [product.rows, product.columns]
    let c = inputs.optional(2)?.doubles(broadcastTo: shape)
    var result = product.multiply(a.doubles(), b.doubles())
    for index in result.indices {
      result[index] = alpha * result[index] + (c.map { beta * $0[index] } ?? 0)
    }
    activation.apply(to: &result)
    return [Tensor(a.element, shape, doubles: result)]
  }
}
