import SepalGraph

/// Operators that only rename the axes of the same elements.
extension ImportRules {
  /// Reshape-5 to -25. A 0 copies the dimension of x unless `allowzero`, one −1 takes what is left.
  static func reshape(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let type = context.type(of: x)
    var shape = try context.required(try context.constantInts(1, "shape"), input: 1, "shape")
    func refuse() -> ONNXError {
      context.node.error(
        .invalid, "is \(shape), to which x \(type) cannot be brought", tensor: context.node.inputs[1])
    }
    let copiesZeros = try !context.node.flag("allowzero", default: false)
    for axis in shape.indices where shape[axis] == 0 && copiesZeros {
      guard axis < type.rank else { throw refuse() }
      shape[axis] = type.shape[axis]
    }
    if let open = shape.firstIndex(of: -1) {
      guard shape.lastIndex(of: -1) == open else { throw refuse() }
      let rest = try context.checkedShape(shape.indices.filter { $0 != open }.map { shape[$0] }, "shape")
      let count = rest.reduce(1, *)
      guard count > 0, type.count % count == 0 else { throw refuse() }
      shape[open] = type.count / count
    }
    shape = try context.checkedShape(shape, "shape")
    guard shape.reduce(1, *) == type.count else { throw refuse() }
    return [try context.reshape(x, to: shape)]
  }

  /// Flatten-1 to -25: a matrix, split before `axis`.
  static func flatten(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let shape = context.type(of: x).shape
    let given = try context.node.int("axis", default: 1)
    guard given >= -shape.count, given <= shape.count else {
      throw context.node.error(
        .invalid, "is \(given), expected −\(shape.count) to \(shape.count)", attribute: "axis")
    }
    let axis = given < 0 ? given + shape.count : given
    return [try context.reshape(x, to: [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)])]
  }

  /// Squeeze-1, -11 with an attribute, -13 to -25 with an operand; without axes all of extent 1.
  static func squeeze(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let shape = context.type(of: x).shape
    let given = try context.ints("axes", orInput: 1) ?? shape.indices.filter { shape[$0] == 1 }
    let axes = try context.axes(given, rank: shape.count)
    if let axis = axes.first(where: { shape[$0] != 1 }) {
      throw context.node.error(
        .invalid, "names axis \(axis) of \(context.type(of: x)), expected extent 1", attribute: "axes")
    }
    return [try context.reshape(x, to: shape.indices.filter { !axes.contains($0) }.map { shape[$0] })]
  }

  /// Unsqueeze-1, -11 with an attribute, -13 to -25 with an operand.
  static func unsqueeze(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let x = try context.input(0)
    let given = try context.node.required("axes", try context.ints("axes", orInput: 1))
    var shape = context.type(of: x).shape
    for axis in try context.axes(given, rank: shape.count + given.count).sorted() {
      shape.insert(1, at: axis)
    }
    return [try context.reshape(x, to: try context.checkedShape(shape, "axes"))]
  }
}
