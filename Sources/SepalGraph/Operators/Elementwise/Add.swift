import SepalTensor

/// act(a + b) under numpy broadcasting.
/// - Inputs: a, b of one numeric type. Outputs: the broadcast shape. Source: ONNX Add-14.
public struct Add: BinaryOperator, ActivatedOperator {
  public static let schema = OperatorSchema(
    "Add", inputs: ["a", "b"], attributes: [AttributeField("activation", \Add.activation)])
  public var activation = Activation.identity

  public init() {}
  public init(activation: Activation) { self.activation = activation }

  public func apply(_ a: Double, _ b: Double) -> Double { activation(a + b) }
  public func apply(_ a: Int64, _ b: Int64) -> Int64? { a &+ b }
}
