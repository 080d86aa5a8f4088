import SepalGraph

/// Operators that move whole elements.
extension ImportRules {
  /// Transpose-1 to -25; without `perm` the axes are reversed.
  static func transpose(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let rank = try context.shape(0).count
    let permutation = try context.node.ints("perm") ?? Array((0..<rank).reversed())
    guard permutation.sorted() == Array(0..<rank) else {
      throw context.node.error(
        .invalid, "is \(permutation), expected each of \(rank) axes once", attribute: "perm")
    }
    return [try context.add(Transpose(permutation: permutation), context.inputs)]
  }

  /// Concat-4, -11, -13.
  static func concat(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let inputs = try context.allInputs()
    let axis = try context.axis(rank: context.type(of: inputs[0]).rank)
    return [try context.add(Concat(axis: axis), inputs)]
  }

  /// Expand-8, -13: x and the shape broadcast each other.
  static func expand(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let given = try context.required(try context.constantInts(1, "shape"), input: 1, "shape")
    guard let shape = broadcastShape(context.type(of: x).shape, try context.checkedShape(given, "shape"))
    else {
      throw context.node.error(
        .invalid, "is \(given), to which \(context.type(of: x)) does not broadcast",
        tensor: context.node.inputs[1])
    }
    return [try context.add(Expand(shape: try context.checkedShape(shape, "shape")), [x])]
  }

  /// Gather-1, -11, -13.
  static func gather(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let axis = try context.axis(default: 0, rank: try context.shape(0).count)
    return [try context.add(Gather(axis: axis), context.inputs)]
  }

  /// Tile-6, -13.
  static func tile(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let shape = try context.shape(0)
    let repeats = try context.required(try context.constantInts(1, "repeats"), input: 1, "repeats")
    guard repeats.count == shape.count, repeats.allSatisfy({ (0...largestExtent).contains($0) }) else {
      throw context.node.error(
        .invalid, "is \(repeats), expected \(shape.count) counts", tensor: context.node.inputs[1])
    }
    return [try context.add(Tile(repeats: repeats), [try context.input(0)])]
  }

  /// GatherElements-11, -13.
  static func gatherElements(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let axis = try context.axis(default: 0, rank: try context.shape(0).count)
    return [try context.add(GatherElements(axis: axis), context.inputs)]
  }
}
