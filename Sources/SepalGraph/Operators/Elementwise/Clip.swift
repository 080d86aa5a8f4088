/// min(max(x, min), max), bounds known; infinite where absent.
/// - Inputs: x, any float or integer tensor. Outputs: same type and shape. Source: ONNX Clip-13 with constant bounds.
public struct Clip: ActivationOperator {
  public static let schema = OperatorSchema(
    "Clip", inputs: ["x"],
    attributes: [AttributeField("min", \Clip.min), AttributeField("max", \Clip.max)])
  public var min = -Double.infinity
  public var max = Double.infinity

  public init() {}
  public init(min: Double, max: Double) {
    self.min = min
    self.max = max
  }

  public var asActivation: Activation { .clip(min: min, max: max) }

  /// Bounds of integer tensors are integers; a comparison in `Double` is exact below 2⁵³.
  public func apply(_ x: Int64) -> Int64? {
    let clipped = asActivation(Double(x))
    if clipped == Double(x) { return x }
    return Int64(exactly: clipped.rounded(.towardZero)) ?? (clipped < 0 ? .min : .max)
  }
}
