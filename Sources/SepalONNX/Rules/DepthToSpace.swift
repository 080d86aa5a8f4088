import SepalGraph

extension ImportRules {
  /// DepthToSpace-1, -11, -13, -28.
  static func depthToSpace(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = DepthToSpace()
    op.blockSize = try context.node.required("blocksize", try context.node.int("blocksize"))
    op.mode = try context.choice("mode", default: "DCR", ["DCR": DepthToSpaceMode.dcr, "CRD": .crd])
    return [try context.add(op, context.inputs)]
  }

  /// SpaceToDepth-1, -13.
  static func spaceToDepth(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    var op = SpaceToDepth()
    op.blockSize = try context.node.required("blocksize", try context.node.int("blocksize"))
    return [try context.add(op, context.inputs)]
  }
}
