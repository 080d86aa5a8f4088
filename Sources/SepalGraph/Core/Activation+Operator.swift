extension Activation {
  /// The operator that applies this activation by itself; nil for the identity.
  public var asOperator: (any Operator)? {
    switch self {
    case .identity: nil
    case .relu: Relu()
    case .clip(let low, let high): Clip(min: low, max: high)
    case .leakyRelu(let alpha): LeakyRelu(alpha: alpha)
    case .elu(let alpha): Elu(alpha: alpha)
    case .hardSigmoid(let alpha, let beta): HardSigmoid(alpha: alpha, beta: beta)
    case .hardSwish: HardSwish()
    case .sigmoid: Sigmoid()
    case .silu: Silu()
    case .tanh: Tanh()
    case .gelu: Gelu()
    case .geluTanh: Gelu(approximate: true)
    }
  }
}
