/// act(a·b) under numpy broadcasting; integers wrap.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Mul-14.
public struct Mul: BinaryOperator, ActivatedOperator {
  public static let schema = OperatorSchema(
    "Mul", inputs: ["a", "b"], attributes: [AttributeField("activation", \Mul.activation)])
  public var activation = Activation.identity

  public init() {}
  public init(activation: Activation) { self.activation = activation }

  public func apply(_ a: Double, _ b: Double) -> Double { activation(a * b) }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { a &* b }
}
