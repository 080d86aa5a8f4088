/// max(x, 0).
/// - Inputs: x, any float or integer tensor. Outputs: same type and shape. Source: ONNX Relu-14.
public struct Relu: ActivationOperator {
  public static let schema = OperatorSchema("Relu", inputs: ["x"])
  public init() {}
  public var asActivation: Activation { .relu }
  public func apply(_ x: Int64) -> Int64? { max(x, 0) }
}
