import SepalGraph
import SepalTensor

extension RewriteSite {
  /// The site on pictures that are as small as kernels allow, where its operators treat every place of a picture alike; else
  /// as it is.
  init(
    reducing rewrite: Rewrite, in whole: Graph, nodes: Set<NodeID>
  ) throws(GraphError) {
    self = try RewriteSite(rewrite, in: whole, nodes: nodes)
    guard graph.operations >= 1e5, graph.nodes.allSatisfy({ $0.op.isAlikeEverywhere }) else { return }
    let inputs = cutValues.filter { whole.type(of: $0).rank >= 3 }
    let kernel = graph.largestKernel
    let types = inputs.map { whole.type(of: $0) }
    for layouts in Self.layouts(for: inputs.count) {
      let shapes = Self.shapes(types, layouts, kernel: kernel)
      guard shapes != types.map(\.shape) else { continue }
      let site = try? RewriteSite(
        rewrite, in: whole, nodes: nodes, shapes: Dictionary(uniqueKeysWithValues: zip(inputs, shapes)))
      if let site, site.pairsHaveOneType {
        self = site
        return
      }
    }
  }

  /// Which axes could be spatial, for each of `count` inputs: every combination, the likely ones first.
  private static func layouts(for count: Int) -> [[Layout]] {
    let uniform = [Layout.channelsLast, .channelsFirst].map { Array(repeating: $0, count: count) }
    guard (2...4).contains(count) else { return uniform }
    let mixed = (1..<(1 << count) - 1).map { mask in
      (0..<count).map { mask >> $0 & 1 == 0 ? Layout.channelsLast : .channelsFirst }
    }
    return uniform + mixed
  }

  /// `types` with all spatial axes divided alike, so that the shortest is as long as the kernel and no two are equal.
  private static func shapes(_ types: [TensorType], _ layouts: [Layout], kernel: Int) -> [[Int]] {
    let spatial = zip(types, layouts).map { type, layout in
      Array(layout.firstSpatialAxis..<layout.firstSpatialAxis + type.rank - 2)
    }
    let rank = spatial.map(\.count).max() ?? 0
    let shortest = (0..<rank).map { axis in
      zip(types, spatial).compactMap { type, axes in axis < axes.count ? type.shape[axes[axis]] : nil }.min()
        ?? 1
    }
    return zip(types, spatial).map { type, axes in
      var shape = type.shape
      for (axis, position) in axes.enumerated() {
        let wanted = min(kernel + axis, shortest[axis])
        guard wanted > 0, shortest[axis] > 0 else { continue }
        shape[position] = (shape[position] * wanted + shortest[axis] - 1) / shortest[axis]
      }
      return shape
    }
  }
}

extension Graph {
  /// The longest kernel of any node, in elements of what it moves over.
  fileprivate var largestKernel: Int {
    nodes.reduce(1) { longest, node in
      var kernel: [Int] = []
      var dilations: [Int] = []
      switch node.op {
      case let op as Conv:
        (kernel, dilations) = (inputTypes(of: node)[1].shape.dropFirst(2).map { $0 }, op.dilations)
      case let op as ConvTranspose:
        (kernel, dilations) = (inputTypes(of: node)[1].shape.dropFirst(2).map { $0 }, op.dilations)
      case let op as any PoolOperator: (kernel, dilations) = (op.kernel, op.dilations)
      default: break
      }
      return zip(kernel, dilations).reduce(longest) { max($0, ($1.0 - 1) * $1.1 + 1) }
    }
  }

  /// About how many operations its evaluation takes.
  var operations: Double {
    nodes.reduce(1.0) { sum, node in
      let outputs = node.outputs.map { type(of: $0) }
      return sum + Double(node.op.macs(inputTypes(of: node), outputs: outputs))
        + outputs.reduce(0) { $0 + Double($1.count) }
    }
  }
}

extension Operator {
  /// Whether it treats every place of a picture alike but for the border, whatever the picture's size.
  fileprivate var isAlikeEverywhere: Bool {
    switch self {
    case is Conv, is ConvTranspose, is BatchNorm, is ScaleShift, is SqueezeExcite, is GlobalAveragePool,
      is GlobalMaxPool, is Transpose, is Pad, is Concat, is PRelu, is Where, is any UnaryOperator,
      is any BinaryOperator:
      true
    case let pool as MaxPool: !pool.ceilMode
    case let pool as AveragePool: !pool.ceilMode
    default: false
    }
  }
}
