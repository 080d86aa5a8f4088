import SepalGraph

/// Operators over any number of inputs, which become chains of binary ones. Operator set 7 had no broadcasting
/// here; what it allowed means the same.
extension ImportRules {
  /// Sum-6, -8, -13.
  static func sum(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try chain(context, Add(), isLast: true)]
  }

  /// Min-6, -8, -12, -13.
  static func minimum(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try chain(context, Min(), isLast: true)]
  }

  /// Max-6, -8, -12, -13.
  static func maximum(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try chain(context, Max(), isLast: true)]
  }

  /// Mean-6, -8, -13.
  static func mean(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let count = context.inputs.count
    guard count > 1 else { return [try chain(context, Add(), isLast: true)] }
    let total = try chain(context, Add(), isLast: false)
    let divisor = context.add(scalar: Double(count), context.type(of: total).element, step: "count")
    return [try context.add(Div(), [total, divisor])]
  }

  private static func chain(
    _ context: NodeContext, _ op: any Operator, isLast: Bool
  ) throws(ONNXError) -> ValueID {
    let inputs = try context.allInputs()
    guard inputs.count > 1 else { return try context.identity(inputs[0]) }
    var total = inputs[0]
    for (index, input) in inputs.enumerated().dropFirst() {
      let isFinal = isLast && index == inputs.count - 1
      total = try context.add(op, [total, input], step: isFinal ? nil : "\(op.name)\(index)")
    }
    return total
  }
}
