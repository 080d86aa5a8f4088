import SepalGraph

extension ImportRules {
  /// Slice-1 with attributes, -10, -11, -13 with operands.
  static func slice(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let starts = try context.node.required("starts", try context.ints("starts", orInput: 1))
    let ends = try context.node.required("ends", try context.ints("ends", orInput: 2))
    let axes = try context.ints("axes", orInput: 3)
    let steps = try context.constantInts(4, "steps")
    let shape = context.type(of: x).shape
    let op = try context.checked { () throws(OperatorError) in
      try Slice.normalized(axes: axes, starts: starts, ends: ends, steps: steps, shape: shape)
    }
    return [try context.add(op, [x])]
  }

  /// Split-2, -11 with sizes as an attribute, -13 with an operand, -18 also by number of parts.
  static func split(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let node = context.node
    let shape = try context.shape(0)
    let axis = try context.axis(default: 0, rank: shape.count)
    let parts = node.outputs.count
    let sizes: [Int]
    if let given = try context.ints("split", orInput: 1) {
      sizes = given
      guard sizes.count == parts else {
        throw node.error(.invalid, "has \(sizes.count) sizes for \(parts) outputs", attribute: "split")
      }
    } else {
      let count = try node.int("num_outputs") ?? parts
      guard count == parts, count > 0 else {
        throw node.error(
          .invalid, "is \(count), expected the number of outputs, \(parts)", attribute: "num_outputs")
      }
      // Only `num_outputs` allows a smaller last part.
      let size = (shape[axis] + count - 1) / count
      let last = shape[axis] - size * (count - 1)
      guard last == size || (last >= 0 && node.has("num_outputs")) else {
        throw node.error(
          .invalid, "x has \(shape[axis]) along axis \(axis), which does not split into \(count)")
      }
      sizes = [Int](repeating: size, count: count - 1) + [last]
    }
    return try context.addAll(Split(axis: axis, sizes: sizes), [try context.input(0)])
  }
}
