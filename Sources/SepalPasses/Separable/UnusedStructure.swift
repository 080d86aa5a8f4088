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
    return hasZeroBorder(layer) ? "a border of zeros, but no padding to make up for it" : nil
  }

  private static func hasZeroBorder(_ layer: SeparableLayer) -> Bool {
    for (axis, extent) in layer.kernel.enumerated() where extent > 1 {
      let inner = layer.kernel.dropFirst(axis + 1).reduce(1, *)
      var isUsed = [Bool](repeating: false, count: extent)
      for (index, value) in layer.weight.enumerated() where value != 0 {
        isUsed[index / inner % extent] = true
      }
      if isUsed.first == false || isUsed.last == false { return true }
    }
    return false
  }
}
