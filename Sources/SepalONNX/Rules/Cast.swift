import SepalGraph

extension ImportRules {
  /// Cast-6 to -28. `saturate` and `round_mode` concern element types that are not supported.
  static func cast(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let number = try context.node.required("to", context.node.int("to"))
    let target = ONNXDataType(rawValue: Int32(truncatingIfNeeded: number))
    guard let element = target.element else {
      throw context.node.error(.unsupported, "is \(target), which is not supported", attribute: "to")
    }
    return [try context.add(Cast(to: element), context.inputs)]
  }

  /// CastLike-15 to -25.
  static func castLike(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let element = context.type(of: try context.input(1)).element
    return [try context.add(Cast(to: element), [try context.input(0)])]
  }
}
