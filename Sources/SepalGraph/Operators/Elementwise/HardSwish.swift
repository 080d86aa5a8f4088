/// x·min(max(x/6 + ½, 0), 1).
/// - Inputs: x, any float tensor. Outputs: same type and shape. Source: ONNX HardSwish-14.
public struct HardSwish: ActivationOperator {
  public static let schema = OperatorSchema("HardSwish", inputs: ["x"])
  public init() {}
  public var asActivation: Activation { .hardSwish }
}
