import SepalGraph

extension Activation {
  /// Bounds of the result for every x but NaN.
  var range: ClosedRange<Double> {
    let unbounded = -Double.infinity...Double.infinity
    switch self {
    case .relu: return 0...Double.infinity
    case .clip(let low, let high): return low <= high ? low...high : unbounded
    case .hardSigmoid, .sigmoid: return 0...1
    case .tanh: return -1...1
    case .identity, .leakyRelu, .elu, .hardSwish, .silu, .gelu, .geluTanh: return unbounded
    }
  }

  /// Lower and upper bound when this only limits its argument.
  var bounds: (low: Double, high: Double)? {
    switch self {
    case .relu: (0, .infinity)
    case .clip(let low, let high): low <= high ? (low, high) : nil
    default: nil
    }
  }

  /// The activation that limits its argument to `low...high`, in its canonical spelling.
  static func limiting(low: Double, high: Double) -> Activation {
    switch (low, high) {
    case (-.infinity, .infinity): .identity
    case (0, .infinity): .relu
    default: .clip(min: low, max: high)
    }
  }

  /// One activation that is bit for bit `self(inner(x))`; nil when there is none.
  func composed(after inner: Activation) -> Activation? {
    if self == .identity { return inner }
    if inner == .identity { return self }
    guard let outer = bounds else { return nil }
    if outer.low <= inner.range.lowerBound && inner.range.upperBound <= outer.high { return inner }
    guard let inner = inner.bounds else { return nil }
    // Limiting is monotone, so the limits of the whole are the limited limits.
    return .limiting(
      low: min(max(inner.low, outer.low), outer.high), high: min(max(inner.high, outer.low), outer.high))
  }
}
