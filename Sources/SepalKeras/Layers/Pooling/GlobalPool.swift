import SepalGraph

extension LayerRules {
  /// GlobalMaxPooling1D to 3D.
  static func globalMaxPool(rank: Int) -> Rule {
    { context throws(KerasError) in
      let op = GlobalMaxPool(
        layout: try context.layout(rank: rank), keepDims: try context.bool("keepdims", default: false))
      return [try context.add(op, [try context.input(rank: rank + 2)])]
    }
  }

  /// GlobalAveragePooling1D to 3D. In one dimension, steps that are masked do not count.
  static func globalAveragePool(rank: Int) -> Rule {
    { context throws(KerasError) in
      let input = try context.input(rank: rank + 2)
      let layout = try context.layout(rank: rank)
      let keepDims = try context.bool("keepdims", default: false)
      if rank == 1, let mask = try context.mask(of: input) {
        return [try context.maskedMean(of: input, mask, layout: layout, keepDims: keepDims)]
      }
      return [try context.add(GlobalAveragePool(layout: layout, keepDims: keepDims), [input])]
    }
  }
}

extension LayerContext {
  /// The mean of those steps of `[N, T, C]` whose mask, `[N, T]`, is true; NaN where none is.
  fileprivate func maskedMean(
    of input: ValueID, _ mask: ValueID, layout: Layout, keepDims: Bool
  ) throws(KerasError) -> ValueID {
    let axis = layout.firstSpatialAxis
    var aligned = shape(of: mask)
    aligned.insert(1, at: layout == .channelsLast ? 2 : 1)
    let steps = try reshape(mask, to: aligned, step: "steps")
    let kept = try add(Where(), [steps, input, add(scalar: 0, step: "zero")], step: "kept")
    let sum = try add(ReduceSum(axes: [axis], keepDims: keepDims), [kept], step: "sum")
    let flags = try add(Cast(to: .float32), [steps], step: "flags")
    let count = try add(ReduceSum(axes: [axis], keepDims: keepDims), [flags], step: "count")
    return try add(Div(), [sum, count])
  }
}
