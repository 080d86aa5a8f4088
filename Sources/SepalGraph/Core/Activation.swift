/// An elementwise function of one variable that can be fused as the last step of another operator.
public enum Activation: Sendable, Hashable {
  case identity
  /// max(x, 0)
  case relu
  /// min(max(x, min), max). ReLU6 is `clip(0, 6)`. Either bound may be infinite.
  case clip(min: Double, max: Double)
  /// x for x ≥ 0, α·x below
  case leakyRelu(alpha: Double)
  /// x for x ≥ 0, α·(eˣ − 1) below
  case elu(alpha: Double)
  /// min(max(α·x + β, 0), 1)
  case hardSigmoid(alpha: Double, beta: Double)
  /// x·min(max(x/6 + ½, 0), 1)
  case hardSwish
  /// 1/(1 + e⁻ˣ)
  case sigmoid
  /// x·sigmoid(x)
  case silu
  case tanh
  /// x·Φ(x) by the error function
  case gelu
  /// The tanh approximation of GELU.
  case geluTanh

  public func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .identity: x
    case .relu: x < 0 ? 0 : x
    case .clip(let low, let high): clipped(x, low, high)
    case .leakyRelu(let alpha): x < 0 ? alpha * x : x
    case .elu(let alpha): x < 0 ? alpha * x.exponentialMinusOne : x
    case .hardSigmoid(let alpha, let beta): clipped(alpha * x + beta, 0, 1)
    case .hardSwish: x * clipped(x / 6 + 0.5, 0, 1)
    case .sigmoid: 1 / (1 + (-x).exponential)
    case .silu: x / (1 + (-x).exponential)
    case .tanh: x.hyperbolicTangent
    case .gelu: 0.5 * x * (1 + (x * 0.5.squareRoot()).errorFunction)
    case .geluTanh:
      0.5 * x * (1 + ((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)).hyperbolicTangent)
    }
  }

  /// Applies the function to each value.
  package func apply(to values: inout [Double]) {
    if self == .identity { return }
    for index in values.indices { values[index] = self(values[index]) }
  }

  /// min(max(x, low), high): `high` wins when the bounds are crossed, NaN stays.
  private func clipped(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let raised = x < low ? low : x
    return raised > high ? high : raised
  }
}

extension Activation: AttributeConvertible {
  /// The name, and the parameters in the order of the case.
  package var parts: (name: String, parameters: [Double]) {
    switch self {
    case .identity: ("identity", [])
    case .relu: ("relu", [])
    case .clip(let low, let high): ("clip", [low, high])
    case .leakyRelu(let alpha): ("leakyRelu", [alpha])
    case .elu(let alpha): ("elu", [alpha])
    case .hardSigmoid(let alpha, let beta): ("hardSigmoid", [alpha, beta])
    case .hardSwish: ("hardSwish", [])
    case .sigmoid: ("sigmoid", [])
    case .silu: ("silu", [])
    case .tanh: ("tanh", [])
    case .gelu: ("gelu", [])
    case .geluTanh: ("geluTanh", [])
    }
  }

  /// `relu`, `clip(0.0,6.0)`: the name and, where there are any, the parameters.
  public var attributeValue: AttributeValue {
    let (name, parameters) = parts
    let list = parameters.map { "\($0)" }.joined(separator: ",")
    return .string(parameters.isEmpty ? name : "\(name)(\(list))")
  }

  public init?(attributeValue: AttributeValue) {
    guard case .string(let text) = attributeValue else { return nil }
    let pieces = text.split(separator: "(", maxSplits: 1)
    guard let name = pieces.first else { return nil }
    var parameters: [Double] = []
    if pieces.count == 2 {
      guard pieces[1].hasSuffix(")") else { return nil }
      for piece in pieces[1].dropLast().split(separator: ",") {
        guard let value = Double(piece), !value.isNaN else { return nil }
        parameters.append(value)
      }
    }
    switch (name, parameters.count) {
    case ("identity", 0): self = .identity
    case ("relu", 0): self = .relu
    case ("clip", 2): self = .clip(min: parameters[0], max: parameters[1])
    case ("leakyRelu", 1): self = .leakyRelu(alpha: parameters[0])
    case ("elu", 1): self = .elu(alpha: parameters[0])
    case ("hardSigmoid", 2): self = .hardSigmoid(alpha: parameters[0], beta: parameters[1])
    case ("hardSwish", 0): self = .hardSwish
    case ("sigmoid", 0): self = .sigmoid
    case ("silu", 0): self = .silu
    case ("tanh", 0): self = .tanh
    case ("gelu", 0): self = .gelu
    case ("geluTanh", 0): self = .geluTanh
    default: return nil
    }
  }

  public static var expectation: String { "an activation such as relu or clip(0.0,6.0)" }
}

extension Activation: CustomStringConvertible {
  public var description: String { attributeValue.description }
}
