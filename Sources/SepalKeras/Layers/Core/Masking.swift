import SepalGraph
import SepalTensor

extension LayerRules {
  /// Zeroes the steps all of whose features are `mask_value`, and masks them.
  static func masking(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let input = try context.input()
    let shape = context.shape(of: input)
    guard shape.count >= 2 else {
      throw KerasError(.invalid, "is called with \(context.type(of: input)), expected rank 2 or more")
    }
    let value = context.add(scalar: try context.number("mask_value", default: 0), step: "mask_value")
    let isValue = try context.add(Equal(), [input, value], step: "is_mask_value")
    let differs = try context.add(Not(), [isValue], step: "differs")
    let flags = try context.add(Cast(to: .float32), [differs], step: "flags")
    let any = try context.add(ReduceMax(axes: [shape.count - 1]), [flags], step: "any")
    let counts = try context.add(Cast(to: .bool), [any], step: "counts")
    let result = try context.add(Where(), [counts, input, context.add(scalar: 0, step: "zero")])
    context.setMask(of: result) { () throws(KerasError) in
      try context.reshape(counts, to: Array(shape.dropLast()), step: "mask")
    }
    return [result]
  }
}
