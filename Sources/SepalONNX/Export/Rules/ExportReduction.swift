import SepalGraph
import SepalTensor

extension NodeExport {
  /// A reduction of x over some axes: an attribute before version 18 (of ReduceSum, 13), an operand from then on.
  func reduce(_ opType: String, over axes: [Int], keepDims: Bool) -> ExportedValue {
    let keep = ExportedAttribute.int(keepDims ? 1 : 0)
    if opset >= 18 || opType == "ReduceSum" {
      return add(opType, [input(0), add(integers: axes, step: "axes")], ["keepdims": keep])
    }
    return add(opType, [input(0)], ["axes": .ints(axes), "keepdims": keep])
  }
}

extension ExportRules {
  /// Without axes, which ONNX reads as all of them, each element by itself: `elementwise`.
  static func reduction(
    _ op: some ReductionOperator, _ node: NodeExport, _ elementwise: (ExportedValue) -> ExportedValue
  ) -> [ExportedValue?] {
    if op.axes.isEmpty { return [elementwise(node.input(0))] }
    return [node.reduce(op.name, over: op.axes, keepDims: op.keepDims)]
  }

  /// ArgMax-12, ArgMin-12.
  static func argExtremum(_ opType: String, _ op: some ArgExtremum, _ node: NodeExport) -> [ExportedValue?] {
    [
      node.add(
        opType, node.inputs,
        [
          "axis": .int(op.axis), "keepdims": .int(op.keepDims ? 1 : 0),
          "select_last_index": .int(op.selectLast ? 1 : 0),
        ])
    ]
  }

  /// CumSum-11.
  static func cumSum(_ op: CumSum, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let axis = node.add(constant: Tensor([], int64s: [Int64(op.axis)]), step: "axis")
    return [
      node.add(
        "CumSum", [node.input(0), axis],
        ["exclusive": .int(op.exclusive ? 1 : 0), "reverse": .int(op.reverse ? 1 : 0)])
    ]
  }

  /// TopK-11.
  static func topK(_ op: TopK, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    node.addAll(
      "TopK", [node.input(0), node.add(integers: [op.k], step: "k")],
      ["axis": .int(op.axis), "largest": .int(op.largest ? 1 : 0), "sorted": .int(op.sorted ? 1 : 0)],
      results: [true, true])
  }
}
