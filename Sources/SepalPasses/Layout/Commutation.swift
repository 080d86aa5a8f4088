import SepalGraph

/// How an operator changes place with a reordering of its operands' axes.
///
/// With xᵢ = Transpose(xᵢ′, operands[i]):  Op(x₀, x₁, …) = Transpose(op(x₀′, x₁′, …), outputs[j]) for each result j.
struct Commutation {
  var op: any Operator
  /// The order of each operand, seen with as many axes as its permutation has by putting unit axes in front;
  /// nil where the operand is taken as it is.
  var operands: [Permutation?]
  /// The order of each result.
  var outputs: [Permutation]

  /// The operator for operands whose `index`-th is in `order`, or close to it where a Reshape merges axes that do
  /// not lie side by side; nil when it does not commute with that.
  init?(_ node: Node, operand index: Int, in order: Permutation, of graph: Graph) {
    guard let output = node.outputs.first else { return nil }
    let outputRank = graph.type(of: output).rank
    let map = AxisMap(order)
    op = node.op
    operands = Array(repeating: order, count: node.inputs.count)
    outputs = Array(repeating: order, count: node.outputs.count)

    switch node.op {
    case is any UnaryOperator, is Cast: break
    case is any BinaryOperator, is Where, is Expand:
      // Under broadcasting every operand is seen with the result's rank.
      let extended = order.extended(toRank: outputRank)
      operands = operands.map { _ in extended }
      outputs = [extended]
      if let expand = node.op as? Expand { op = Expand(shape: extended.inverse.applied(to: expand.shape)) }
    case let concat as Concat: op = Concat(axis: map[concat.axis])
    case let split as Split: op = Split(axis: map[split.axis], sizes: split.sizes)
    case let slice as Slice: op = slice.reordered(map)
    case let pad as Pad:
      op = Pad(
        begins: map.reordered(pad.begins), ends: map.reordered(pad.ends), mode: pad.mode, value: pad.value)
    case let tile as Tile: op = Tile(repeats: map.reordered(tile.repeats))
    case var resize as Resize:
      resize.sizes = map.reordered(resize.sizes)
      resize.scales = map.reordered(resize.scales)
      op = resize
    case var reduction as any ReductionOperator:
      let axes = reduction.axes
      reduction.axes = axes.map { map[$0] }.sorted()
      op = reduction
      if !reduction.keepDims { outputs = [map.order(without: axes)] }
    case var extremum as any ArgExtremum:
      let axis = extremum.axis
      extremum.axis = map[axis]
      op = extremum
      if !extremum.keepDims { outputs = [map.order(without: [map.fromFront(axis)])] }
    case let softmax as Softmax: op = Softmax(axis: map[softmax.axis])
    case let softmax as LogSoftmax: op = LogSoftmax(axis: map[softmax.axis])
    case var sum as CumSum:
      sum.axis = map[sum.axis]
      op = sum
    case var top as TopK:
      top.axis = map[top.axis]
      op = top
    case let gather as GatherElements: op = GatherElements(axis: map[gather.axis])
    case let gather as Gather:
      guard index == 0, let indices = node.input(1) else { return nil }
      let inserted = graph.type(of: indices).rank
      let axis = map.fromFront(gather.axis)
      op = Gather(axis: map[axis])
      operands = [order, nil]
      outputs = [map.order(replacing: axis, by: inserted)]
    case let norm as LayerNorm:
      // The normalised axes are one flat run for scale and bias, so they must stay last and in order.
      let axis = map.fromFront(norm.axis)
      guard index == 0, (axis..<order.rank).allSatisfy({ order[$0] == $0 }) else { return nil }
      operands = [order, nil, nil]
    case let reshape as Reshape:
      guard let x = node.input(0), let groups = ReshapeGroups(graph.type(of: x).shape, reshape.shape) else {
        return nil
      }
      let sinking = groups.sinking(order)
      op = Reshape(shape: sinking.shape)
      operands = [sinking.operand]
      outputs = [sinking.result]
    default: return nil
    }
  }

  /// The operator whose results come in `order`; nil when that is not possible.
  init?(_ node: Node, results order: Permutation, of graph: Graph) {
    if let reshape = node.op(as: Reshape.self) {
      guard let x = node.input(0), let groups = ReshapeGroups(graph.type(of: x).shape, reshape.shape),
        let operand = groups.lifting(order)
      else { return nil }
      self.op = Reshape(shape: order.inverse.applied(to: reshape.shape))
      self.operands = [operand]
      self.outputs = [order]
      return
    }
    guard
      let index = node.inputs.firstIndex(where: {
        $0.map { graph.type(of: $0).rank == order.rank && !graph.value($0).isConstant } ?? false
      }),
      let same = Commutation(node, operand: index, in: order, of: graph),
      same.outputs.allSatisfy({ $0 == order })
    else { return nil }
    self = same
  }

  /// How the result relates to the original's: sums over several axes are formed in another order.
  var exactness: Exactness {
    switch op {
    case is any ReductionOperator: .reassociated
    case let resize as Resize: resize.mode == .nearest ? .exact : .reassociated
    default: .exact
    }
  }
}

/// Where the axes of x = Transpose(x′, order) are in x′.
private struct AxisMap {
  let order: Permutation
  init(_ order: Permutation) { self.order = order }

  func fromFront(_ axis: Int) -> Int { axis < 0 ? axis + order.rank : axis }
  subscript(axis: Int) -> Int { order[fromFront(axis)] }

  /// What is listed per axis of x, per axis of x′.
  func reordered<Element>(_ list: [Element]) -> [Element] { order.inverse.applied(to: list) }

  /// The order of what is left when x loses `axes`.
  func order(without axes: [Int]) -> Permutation {
    let kept = order.axes.indices.filter { !axes.contains($0) }.map { order[$0] }
    let ascending = kept.sorted()
    return Permutation(kept.map { axis in ascending.firstIndex(of: axis) ?? axis })
  }

  /// The order of the result when `count` new axes take the place of `axis`.
  func order(replacing axis: Int, by count: Int) -> Permutation {
    let target = order[axis]
    func moved(_ position: Int) -> Int { position > target ? position + count - 1 : position }
    let axes = order.axes.indices.flatMap { index in
      index == axis ? Array(target..<target + count) : [moved(order[index])]
    }
    return Permutation(axes)
  }
}

extension Slice {
  /// This slice of a value whose axes have moved; axes stay ascending.
  fileprivate func reordered(_ map: AxisMap) -> Slice {
    let entries = axes.indices.sorted { map[axes[$0]] < map[axes[$1]] }
    return Slice(
      axes: entries.map { map[axes[$0]] }, starts: entries.map { starts[$0] }, ends: entries.map { ends[$0] },
      steps: entries.map { steps[$0] })
  }
}
