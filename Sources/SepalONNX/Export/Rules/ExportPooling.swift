import SepalGraph
import SepalTensor

extension ExportRules {
  /// AveragePool-11; dilations from version 19 on.
  static func averagePool(_ op: AveragePool, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let isDilated = op.dilations.contains { $0 != 1 }
    guard node.opset >= 19 || !isDilated else {
      throw node.unsupported("has dilations \(op.dilations), which AveragePool takes from opset 19 on")
    }
    var attributes: ExportedAttributes = [
      "kernel_shape": .ints(op.kernel), "strides": .ints(op.strides),
      "pads": .ints(op.padBegins + op.padEnds), "ceil_mode": .int(op.ceilMode ? 1 : 0),
      "count_include_pad": .int(op.countIncludePad ? 1 : 0),
    ]
    if isDilated { attributes.append("dilations", .ints(op.dilations)) }
    return pool("AveragePool", op, node, attributes)
  }

  /// MaxPool-12.
  static func maxPool(_ op: MaxPool, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    pool(
      "MaxPool", op, node,
      [
        "kernel_shape": .ints(op.kernel), "strides": .ints(op.strides),
        "pads": .ints(op.padBegins + op.padEnds), "ceil_mode": .int(op.ceilMode ? 1 : 0),
        "dilations": .ints(op.dilations),
      ])
  }

  private static func pool(
    _ opType: String, _ op: some PoolOperator, _ node: NodeExport,
    _ attributes: ExportedAttributes
  ) -> [ExportedValue?] {
    let rank = node.outputType.rank
    let x = node.channelsFirst(node.input(0), op.layout, rank: rank, step: "x")
    return [node.inLayout(node.add(opType, [x], attributes), op.layout, rank: rank)]
  }

  /// GlobalAveragePool-1 where that says it; a mean over the spatial axes otherwise.
  static func globalAveragePool(
    _ op: GlobalAveragePool, _ node: NodeExport
  ) throws(ONNXError) -> [ExportedValue?] {
    if op.layout == .channelsFirst && op.keepDims { return [node.add("GlobalAveragePool", node.inputs)] }
    return [
      node.reduce("ReduceMean", over: spatialAxes(op.layout, rank: node.type(0).rank), keepDims: op.keepDims)
    ]
  }

  /// GlobalMaxPool-1, or a maximum over the spatial axes.
  static func globalMaxPool(_ op: GlobalMaxPool, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    if op.layout == .channelsFirst && op.keepDims { return [node.add("GlobalMaxPool", node.inputs)] }
    return [
      node.reduce("ReduceMax", over: spatialAxes(op.layout, rank: node.type(0).rank), keepDims: op.keepDims)
    ]
  }

  private static func spatialAxes(_ layout: Layout, rank: Int) -> [Int] {
    Array(layout.firstSpatialAxis..<layout.firstSpatialAxis + rank - 2)
  }
}
