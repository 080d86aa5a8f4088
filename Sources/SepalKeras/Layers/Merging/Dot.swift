import SepalGraph
import SepalTensor

extension LayerRules {
  /// Products of two tensors summed over one axis of each, sample by sample.
  static func dot(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let inputs = try context.inputs()
    guard inputs.count == 2 else {
      throw KerasError(.invalid, "is called with \(inputs.count) tensors, expected two")
    }
    var (x, y) = (inputs[0], inputs[1])
    let (xShape, yShape) = (context.shape(of: x), context.shape(of: y))
    guard xShape.count >= 2, yShape.count >= 2 else {
      throw KerasError(
        .invalid, "is called with \(context.type(of: x)) and \(context.type(of: y)), expected rank 2 or more")
    }
    let axes = try context.ints("axes", count: 2)
    let xAxis = try context.axis(axes[0], rank: xShape.count, "axes")
    let yAxis = try context.axis(axes[1], rank: yShape.count, "axes")
    guard xAxis > 0, yAxis > 0, xShape[xAxis] == yShape[yAxis], xShape[0] == yShape[0] else {
      throw context.invalid(
        "axes", "is \(axes), along which \(context.type(of: x)) and \(context.type(of: y)) do not match")
    }
    if try context.bool("normalize", default: false) {
      x = try context.normalizeLength(x, axes: [xAxis], prefix: "x")
      y = try context.normalizeLength(y, axes: [yAxis], prefix: "y")
    }
    // [N, rows, depth] · [N, depth, columns]
    let (batch, depth) = (xShape[0], xShape[xAxis])
    let (xRest, yRest) = (
      (1..<xShape.count).filter { $0 != xAxis }, (1..<yShape.count).filter { $0 != yAxis }
    )
    let (rows, columns) = (xRest.map { xShape[$0] }, yRest.map { yShape[$0] })
    x = try context.transpose(x, [0] + xRest + [xAxis], step: "x_last")
    y = try context.transpose(y, [0, yAxis] + yRest, step: "y_first")
    x = try context.reshape(x, to: [batch, rows.reduce(1, *), depth], step: "rows")
    y = try context.reshape(y, to: [batch, depth, columns.reduce(1, *)], step: "columns")
    let product = try context.add(MatMul(), [x, y], step: "products")
    let shape = [batch] + (rows.isEmpty && columns.isEmpty ? [1] : rows + columns)
    return [try context.add(Reshape(shape: shape), [product])]
  }
}

extension LayerContext {
  /// `value` with reordered axes, or itself where they are in order.
  func transpose(_ value: ValueID, _ permutation: [Int], step: String? = nil) throws(KerasError) -> ValueID {
    permutation == Array(permutation.indices)
      ? value : try add(Transpose(permutation: permutation), [value], step: step)
  }
}
