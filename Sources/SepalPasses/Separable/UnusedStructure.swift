import SepalGraph

/// Structure of a layer's weights that the passes before found and could not use.
enum UnusedStructure {
  /// What stands in its way; nil where there is none, once the passes have run.
  static func obstacle(_ node: Node, in graph: Graph) -> String? {
    guard node.op is any PaddedConvolution,
      case .success(let layer)? = SeparableLayer.layer(node, in: graph), layer.energy > 0
    else { return nil }
    if let blocks = HiddenBlocks.candidates(layer).first {
      return blocks.ordersInputs || blocks.ordersOutputs
        ? "\(blocks.count) hidden groups, but its neighbours cannot take channels in another order"
        : "\(blocks.count) hidden groups, but they would not be cheaper"
    }
    let hasZeroBorder = graph.constant(node.input(1)).map { KernelSupport($0).hasZeroBorder } ?? false
    return hasZeroBorder ? "a border of zeros, but no padding to make up for it" : nil
  }
}
