/// An elementwise function inside a recurrent cell: an activation that other operators fuse, or one that they do not.
public enum GateFunction: Sendable, Hashable {
  case activation(Activation)
  case exponential
  case mish
  case selu
  case softplus
  case softsign

  public static let tanh = GateFunction.activation(.tanh)
  public static let sigmoid = GateFunction.activation(.sigmoid)

  /// The function that `op` applies to each element; nil when it is none of these.
  public init?(_ op: any Operator) {
    switch op {
    case let op as any ActivationOperator: self = .activation(op.asActivation)
    case is Identity: self = .activation(.identity)
    case is Exp: self = .exponential
    case is Mish: self = .mish
    case let op as Selu where op.isEqual(to: Selu()): self = .selu
    case is Softplus: self = .softplus
    case is Softsign: self = .softsign
    default: return nil
    }
  }

  public func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .activation(let activation): activation(x)
    case .exponential: x.exponential
    case .mish: Mish().apply(x)
    case .selu: Selu().apply(x)
    case .softplus: Softplus().apply(x)
    case .softsign: Softsign().apply(x)
    }
  }
}

extension GateFunction: AttributeConvertible {
  /// Those without parameters, by their names.
  private static let named: [(name: String, function: GateFunction)] = [
    ("exponential", .exponential), ("mish", .mish), ("selu", .selu), ("softplus", .softplus),
    ("softsign", .softsign),
  ]

  /// `tanh`, `hardSigmoid(0.2,0.5)`: an activation is written as everywhere else.
  public var attributeValue: AttributeValue {
    if case .activation(let activation) = self { return activation.attributeValue }
    return .string(Self.named.first { $0.function == self }?.name ?? "")
  }

  public init?(attributeValue: AttributeValue) {
    if let activation = Activation(attributeValue: attributeValue) {
      self = .activation(activation)
    } else if case .string(let name) = attributeValue,
      let known = Self.named.first(where: { $0.name == name })
    {
      self = known.function
    } else {
      return nil
    }
  }

  public static var expectation: String { "a function such as tanh or hardSigmoid(0.2,0.5)" }
}

extension GateFunction: CustomStringConvertible {
  public var description: String { attributeValue.description }
}
