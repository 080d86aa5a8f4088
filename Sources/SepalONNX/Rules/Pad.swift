import SepalGraph

extension ImportRules {
  /// Pad-2 with attributes, -11 with operands, -18 with axes, -19 to -25 with wrap. All begins come first.
  static func pad(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let rank = try context.shape(0).count
    let pads = try context.node.required("pads", try context.ints("pads", orInput: 1))
    var axes = Array(0..<rank)
    if let given = try context.constantInts(3, "axes") { axes = try context.axes(given, rank: rank) }
    guard pads.count == 2 * axes.count else {
      throw context.node.error(
        .invalid, "has \(pads.count) values, expected \(2 * axes.count)", attribute: "pads")
    }
    guard pads.allSatisfy({ $0.magnitude <= UInt(largestExtent) }) else {
      throw context.node.error(.invalid, "is \(pads), which is too large", attribute: "pads")
    }
    var op = Pad(begins: [Int](repeating: 0, count: rank), ends: [Int](repeating: 0, count: rank))
    for (index, axis) in axes.enumerated() {
      op.begins[axis] = pads[index]
      op.ends[axis] = pads[axes.count + index]
    }
    op.mode = try context.choice(
      "mode", default: "constant",
      ["constant": PadMode.constant, "reflect": .reflect, "edge": .edge, "wrap": .wrap])
    op.value = try context.number("value") ?? 0
    if let value = try context.constantScalar(2, "constant_value") { op.value = value.doubles()[0] }
    return [try context.add(op, [try context.input(0)])]
  }
}
