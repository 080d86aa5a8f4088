import SepalGraph
import SepalTensor

extension ImportRules {
  /// Clip-6 with attributes, Clip-11 to -13 with optional operands. Bounds at the ends of the float32 range, which
  /// is how older exporters and the defaults say "no bound", are none.
  static func clip(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    if context.opset < 11 {
      return [try context.add(clip(try context.number("min"), try context.number("max")), [x])]
    }
    var bounds: [Double?] = []
    for index in 1...2 {
      guard let bound = context.optionalInput(index) else {
        bounds.append(nil)
        continue
      }
      guard context.constant(bound) != nil else { return [try dynamicClip(context, x)] }
      bounds.append(try context.constantScalar(index, index == 1 ? "min" : "max")?.doubles().first)
    }
    return [try context.add(clip(bounds[0], bounds[1]), [x])]
  }

  private static func clip(_ low: Double?, _ high: Double?) -> Clip {
    let limit = Double(Float.greatestFiniteMagnitude)
    var op = Clip()
    if let low, low > -limit { op.min = low }
    if let high, high < limit { op.max = high }
    // ONNX lets the upper bound win.
    op.min = min(op.min, op.max)
    return op
  }

  private static func dynamicClip(_ context: NodeContext, _ x: ValueID) throws(ONNXError) -> ValueID {
    var value = x
    if let low = context.optionalInput(1) {
      value = try context.add(Max(), [value, low], step: context.optionalInput(2) == nil ? nil : "max")
    }
    if let high = context.optionalInput(2) { value = try context.add(Min(), [value, high]) }
    return value
  }
}
