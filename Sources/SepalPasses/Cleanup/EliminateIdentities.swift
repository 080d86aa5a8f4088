import SepalGraph
import SepalTensor

/// Removes operators that return their input.
///
/// Before: y = Op(x) with y = x (one line of `rules` per operator says when)     After: y replaced by x
/// Requires: same type and shape in and out. Where y is a graph output that would then be a graph input or constant, an
/// Identity is left; a fused activation stays behind as a node of its own.
/// Exactness: exact, but reassociated for x + 0, alone or in a ScaleShift, which turns −0 into 0.
struct EliminateIdentities: Pass {
  static let name = "eliminate-identities"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let rule = Self.rules[ObjectIdentifier(type(of: node.op))], node.outputs.count == 1,
      let x = node.input(0), graph.type(of: x) == graph.type(of: node.output),
      let exactness = rule(node, graph)
    else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: exactness)
    if let activation = (node.op as? any ActivatedOperator)?.activation.asOperator {
      rewrite.replace(node.output, with: rewrite.node(activation, name: node.name, inputs: [x.operand]))
      return rewrite
    }
    guard !graph.value(node.output).isGraphOutput || graph.producer(of: x) != nil else {
      if node.op is Identity { return nil }
      rewrite.replace(node.output, with: rewrite.node(Identity(), name: node.name, inputs: [x.operand]))
      return rewrite
    }
    rewrite.replace(node.output, with: x.operand)
    return rewrite
  }

  /// Whether a node that keeps the type of its operand 0 returns it, and how exactly.
  private typealias Rule = @Sendable (Node, Graph) -> Exactness?

  private static let rules: [ObjectIdentifier: Rule] = Dictionary(uniqueKeysWithValues: [
    // The type says it all.
    rule(Identity.self) { _, _, _ in true },
    rule(Cast.self) { _, _, _ in true },
    rule(Reshape.self) { _, _, _ in true },
    rule(Expand.self) { _, _, _ in true },
    rule(GlobalAveragePool.self) { _, _, _ in true },
    rule(GlobalMaxPool.self) { _, _, _ in true },
    rule(ReduceMean.self) { _, _, _ in true },
    rule(ReduceSum.self) { _, _, _ in true },
    rule(ReduceProd.self) { _, _, _ in true },
    rule(ReduceMax.self) { _, _, _ in true },
    rule(ReduceMin.self) { _, _, _ in true },

    rule(Concat.self) { _, node, _ in node.inputs.count == 1 },
    rule(Split.self) { _, _, _ in true },
    rule(Slice.self) { op, _, _ in op.steps.allSatisfy { $0 == 1 } },
    rule(Pad.self) { op, _, _ in (op.begins + op.ends).allSatisfy { $0 == 0 } },
    rule(Transpose.self) { op, node, graph in
      let shape = graph.inputTypes(of: node)[0].shape
      let moving = op.permutation.filter { shape[$0] != 1 }
      return moving == moving.sorted()
    },
    rule(DepthToSpace.self) { op, _, _ in op.blockSize == 1 },
    rule(Resize.self) { op, _, _ in op.scales.allSatisfy { $0 == 1 } },
    rule(SpaceToDepth.self) { op, _, _ in op.blockSize == 1 },
    rule(Tile.self) { op, _, _ in op.repeats.allSatisfy { $0 == 1 } },
    rule(MaxPool.self) { op, _, _ in isPointwise(op) },
    rule(AveragePool.self) { op, _, _ in isPointwise(op) },

    limiting(Relu.self),
    limiting(Clip.self),

    rule(Add.self) { _, node, graph -> Exactness? in
      guard let zero = graph.constant(node.input(1))?.uniformValue, zero == 0 else { return nil }
      // −0 is the neutral element; +0 changes the sign of −0.
      return zero.sign == .minus || !graph.type(of: node.output).element.isFloat ? .exact : .reassociated
    },
    rule(Sub.self) { _, node, graph in
      graph.constant(node.input(1))?.uniformValue.map { $0 == 0 && $0.sign == .plus } ?? false
    },
    rule(Mul.self) { _, node, graph in graph.constant(node.input(1))?.uniformValue == 1 },
    rule(Div.self) { _, node, graph in graph.constant(node.input(1))?.uniformValue == 1 },
    rule(Pow.self) { _, node, graph in graph.constant(node.input(1))?.uniformValue == 1 },
    rule(ScaleShift.self, .reassociated) { _, node, graph in
      graph.constant(node.input(1))?.uniformValue == 1
        && (node.input(2) == nil || graph.constant(node.input(2))?.uniformValue == 0)
    },
  ])

  private static func rule<Op: Operator>(
    _ type: Op.Type, _ exactness: @escaping @Sendable (Op, Node, Graph) -> Exactness?
  ) -> (ObjectIdentifier, Rule) {
    (ObjectIdentifier(type), { node, graph in node.op(as: type).flatMap { exactness($0, node, graph) } })
  }

  private static func rule<Op: Operator>(
    _ type: Op.Type, _ exactness: Exactness = .exact,
    when isIdentity: @escaping @Sendable (Op, Node, Graph) -> Bool
  ) -> (ObjectIdentifier, Rule) {
    rule(type) { op, node, graph -> Exactness? in isIdentity(op, node, graph) ? exactness : nil }
  }

  /// Limits that the operand keeps anyway, as far as its producers tell.
  private static func limiting<Op: ActivationOperator>(_ type: Op.Type) -> (ObjectIdentifier, Rule) {
    rule(type) { op, node, graph in
      guard let bounds = op.asActivation.bounds, let x = node.input(0) else { return false }
      let range = graph.range(of: x)
      return bounds.low <= range.lowerBound && range.upperBound <= bounds.high
    }
  }

  /// Each window is one element.
  private static func isPointwise(_ pool: some PoolOperator) -> Bool {
    (pool.kernel + pool.strides).allSatisfy { $0 == 1 }
      && (pool.padBegins + pool.padEnds).allSatisfy { $0 == 0 }
  }
}
