import CSepalKernels
import SepalGraph

extension sepal_activation {
  init(_ activation: Activation) {
    switch activation {
    case .identity: self.init(kind: SEPAL_ACT_NONE, a: 0, b: 0)
    case .relu: self.init(kind: SEPAL_ACT_CLAMP, a: 0, b: .infinity)
    case .clip(let low, let high): self.init(kind: SEPAL_ACT_CLAMP, a: Float(low), b: Float(high))
    case .leakyRelu(let alpha): self.init(kind: SEPAL_ACT_LEAKY_RELU, a: Float(alpha), b: 0)
    case .elu(let alpha): self.init(kind: SEPAL_ACT_ELU, a: Float(alpha), b: 0)
    case .hardSigmoid(let alpha, let beta):
      self.init(kind: SEPAL_ACT_HARD_SIGMOID, a: Float(alpha), b: Float(beta))
    case .hardSwish: self.init(kind: SEPAL_ACT_HARD_SWISH, a: 0, b: 0)
    case .sigmoid: self.init(kind: SEPAL_ACT_SIGMOID, a: 0, b: 0)
    case .silu: self.init(kind: SEPAL_ACT_SILU, a: 0, b: 0)
    case .tanh: self.init(kind: SEPAL_ACT_TANH, a: 0, b: 0)
    case .gelu: self.init(kind: SEPAL_ACT_GELU, a: 0, b: 0)
    case .geluTanh: self.init(kind: SEPAL_ACT_GELU_TANH, a: 0, b: 0)
    }
  }
}
