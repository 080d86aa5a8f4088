import SepalGraph

extension ImportRules {
  /// Softmax-1, -11, -13.
  static func softmax(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try alongAxis(context) { Softmax(axis: $0) }]
  }

  /// LogSoftmax-1, -11, -13.
  static func logSoftmax(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try alongAxis(context) { LogSoftmax(axis: $0) }]
  }

  /// Before version 13 the operator normalised all axes from `axis` on together, which is the same as one axis
  /// where the others have one element.
  private static func alongAxis(
    _ context: NodeContext, _ make: (Int) -> any Operator
  ) throws(ONNXError) -> ValueID {
    let x = try context.input(0)
    let shape = context.type(of: x).shape
    if context.opset >= 13 {
      return try context.add(make(try context.axis(default: -1, rank: shape.count)), [x])
    }
    let axis = try context.axis(default: 1, rank: shape.count)
    let wide = shape.indices.filter { $0 >= axis && shape[$0] != 1 }
    if wide.count <= 1 { return try context.add(make(wide.first ?? axis), [x]) }
    let matrix = [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)]
    let flat = try context.reshape(x, to: matrix, step: "flatten")
    let normalized = try context.add(make(1), [flat], step: "normalize")
    return try context.reshape(normalized, to: shape)
  }
}
