import SepalGraph

extension LayerRules {
  /// MaxPooling1D to 3D.
  static func maxPool(rank: Int) -> Rule {
    { context throws(KerasError) in
      let (input, window, layout) = try context.poolWindow(rank: rank)
      let op = MaxPool(
        kernel: window.kernel, strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
        dilations: window.dilations, layout: layout)
      return [try context.add(op, [input])]
    }
  }

  /// AveragePooling1D to 3D: what `same` pads does not count.
  static func averagePool(rank: Int) -> Rule {
    { context throws(KerasError) in
      let (input, window, layout) = try context.poolWindow(rank: rank)
      let op = AveragePool(
        kernel: window.kernel, strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
        dilations: window.dilations, layout: layout)
      return [try context.add(op, [input])]
    }
  }
}

extension LayerContext {
  fileprivate func poolWindow(
    rank: Int
  ) throws(KerasError) -> (input: ValueID, window: WindowConfig, layout: Layout) {
    let layout = try layout(rank: rank)
    let input = try input(rank: rank + 2)
    // Keras 1 called them `pool_length` and `stride` in one dimension.
    let kernel = try sizes(spelling("pool_size", "pool_length"), count: rank, default: 2)
    let field = spelling("strides", "stride")
    let strides = entry(field) == nil ? kernel : try sizes(field, count: rank)
    return (
      input, try window(kernel: kernel, over: shape(of: input), layout: layout, strides: strides), layout
    )
  }
}
