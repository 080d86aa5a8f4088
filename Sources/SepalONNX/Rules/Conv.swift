import SepalGraph

extension ImportRules {
  /// Conv-1, -11, -22.
  static func conv(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let (x, weight) = (try context.input(0), try context.input(1))
    let window = try WindowAttributes(
      context, input: context.type(of: x).shape, kernel: Array(context.type(of: weight).shape.dropFirst(2)))
    let op = Conv(
      strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, groups: try context.node.int("group", default: 1))
    return [try context.add(op, [x, weight, context.optionalInput(2)])]
  }
}
