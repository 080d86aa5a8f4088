import SepalGraph
import SepalTensor

/// Operators that move whole elements.
extension ExportRules {
  /// A constant: ONNX's Range leaves it to rounding how many elements there are.
  static func arange(_ op: Arange, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    do throws(OperatorError) {
      let tensor = try op.evaluate(Inputs([]))[0]
      return [node.model.addInitializer(node.graph.value(node.node.output).name, tensor)]
    } catch {
      throw node.unsupported(error.message)
    }
  }

  /// Concat-13.
  static func concat(_ op: Concat, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Concat", node.inputs, ["axis": .int(op.axis)])]
  }

  /// Split-13.
  static func split(_ op: Split, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    node.addAll(
      "Split", [node.input(0), node.add(integers: op.sizes, step: "sizes")], ["axis": .int(op.axis)],
      results: op.sizes.map { _ in true })
  }

  /// Reshape-13. From version 14 on, 0 can mean itself; before, it copies the dimension of x.
  static func reshape(_ op: Reshape, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let x = node.type(0).shape
    let shape = node.add(integers: op.shape, step: "shape")
    guard op.shape.contains(0) else { return [node.add("Reshape", [node.input(0), shape])] }
    if node.opset >= 14 { return [node.add("Reshape", [node.input(0), shape], ["allowzero": .int(1)])] }
    guard op.shape.indices.allSatisfy({ op.shape[$0] != 0 || ($0 < x.count && x[$0] == 0) }) else {
      throw node.unsupported("brings \(x) to \(op.shape), which Reshape can from opset 14 on")
    }
    return [node.add("Reshape", [node.input(0), shape])]
  }

  /// Transpose-13.
  static func transpose(_ op: Transpose, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Transpose", node.inputs, ["perm": .ints(op.permutation)])]
  }

  /// Expand-13.
  static func expand(_ op: Expand, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Expand", [node.input(0), node.add(integers: op.shape, step: "shape")])]
  }

  /// Tile-13.
  static func tile(_ op: Tile, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Tile", [node.input(0), node.add(integers: op.repeats, step: "repeats")])]
  }

  /// Gather-13. ONNX takes indices of 32 and 64 bits.
  static func gather(_ op: Gather, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("Gather", [node.input(0), indices(node)], ["axis": .int(op.axis)])]
  }

  /// GatherElements-13.
  static func gatherElements(_ op: GatherElements, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    [node.add("GatherElements", [node.input(0), indices(node)], ["axis": .int(op.axis)])]
  }

  private static func indices(_ node: NodeExport) -> ExportedValue {
    let element = node.type(1).element
    if element == .int32 || element == .int64 { return node.input(1) }
    let int64 = ExportedAttribute.int(Int(ONNXDataType.int64.rawValue))
    return node.add("Cast", [node.input(1)], ["to": int64], step: "indices")
  }

  /// Slice-13. The end −1 of a backward slice is position 0 included, which ONNX says by an end out of range.
  static func slice(_ op: Slice, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    if op.axes.isEmpty { return [node.input(0)] }
    let ends = zip(op.ends, op.steps).map { $0 < 0 && $1 < 0 ? Int(Int32.min) : $0 }
    return [
      node.add(
        "Slice",
        [
          node.input(0), node.add(integers: op.starts, step: "starts"),
          node.add(integers: ends, step: "ends"), node.add(integers: op.axes, step: "axes"),
          node.add(integers: op.steps, step: "steps"),
        ])
    ]
  }

  /// Pad-13; `wrap` from version 19 on.
  static func pad(_ op: Pad, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    guard op.mode != .wrap || node.opset >= 19 else {
      throw node.unsupported("wraps around, which Pad does from opset 19 on")
    }
    let value =
      op.mode == .constant && op.value != 0
      ? node.add(scalar: op.value, node.outputType.element, step: "value") : nil
    return [
      node.add(
        "Pad", [node.input(0), node.add(integers: op.begins + op.ends, step: "pads"), value],
        ["mode": .string(op.mode.rawValue)])
    ]
  }

  /// DepthToSpace-13.
  static func depthToSpace(_ op: DepthToSpace, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let x = node.channelsFirst(node.input(0), op.layout, rank: 4, step: "x")
    let mode = op.mode == .dcr ? "DCR" : "CRD"
    let y = node.add("DepthToSpace", [x], ["blocksize": .int(op.blockSize), "mode": .string(mode)])
    return [node.inLayout(y, op.layout, rank: 4)]
  }

  /// SpaceToDepth-13.
  static func spaceToDepth(_ op: SpaceToDepth, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let x = node.channelsFirst(node.input(0), op.layout, rank: 4, step: "x")
    let y = node.add("SpaceToDepth", [x], ["blocksize": .int(op.blockSize)])
    return [node.inLayout(y, op.layout, rank: 4)]
  }
}
