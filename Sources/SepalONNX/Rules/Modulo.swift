import SepalGraph

extension ImportRules {
  /// Mod-10, -13, -28.
  static func modulo(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    [try context.add(Mod(fmod: try context.node.flag("fmod", default: false)), context.inputs)]
  }
}
