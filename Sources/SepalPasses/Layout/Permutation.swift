import SepalGraph
import SepalTensor

/// An order of axes as `Transpose` states it: axis i of the result is axis `axes[i]` of the operand.
struct Permutation: Hashable, Sendable {
  let axes: [Int]

  /// `axes` names each of 0, 1, … once.
  init(_ axes: [Int]) { self.axes = axes }

  static func identity(rank: Int) -> Permutation { Permutation(Array(0..<rank)) }

  var rank: Int { axes.count }
  var isIdentity: Bool { axes.indices.allSatisfy { axes[$0] == $0 } }
  subscript(axis: Int) -> Int { axes[axis] }

  var inverse: Permutation {
    var result = axes
    for (position, axis) in axes.enumerated() { result[axis] = position }
    return Permutation(result)
  }

  /// One permutation for this one and then `next`.
  func followed(by next: Permutation) -> Permutation { Permutation(next.axes.map { axes[$0] }) }

  /// What is listed per axis of the operand, listed per axis of the result.
  func applied<Element>(to list: [Element]) -> [Element] { axes.map { list[$0] } }

  /// The same for values that have `rank` axes because of unit axes put in front.
  func extended(toRank rank: Int) -> Permutation {
    let lead = rank - axes.count
    return Permutation(Array(0..<lead) + axes.map { $0 + lead })
  }

  /// Whether transposing a value of `shape` moves axes of extent 1 only, so that a Reshape does the same.
  func isReshape(of shape: [Int]) -> Bool {
    let moved = axes.filter { shape[$0] != 1 }
    return zip(moved, moved.dropFirst()).allSatisfy { $0 < $1 }
  }
}

extension Rewrite {
  /// Adds the cheapest node that transposes `x` of `shape`: a Transpose, a Reshape where only unit axes move, or none.
  mutating func transposed(_ x: Operand, shape: [Int], by permutation: Permutation, name: String) -> Operand {
    let result = permutation.applied(to: shape)
    if permutation.isReshape(of: shape) {
      return result == shape ? x : node(Reshape(shape: result), name: name, inputs: [x])
    }
    return node(Transpose(permutation: permutation.axes), name: name, inputs: [x])
  }
}

extension Rewrite {
  /// Lets the readers of `old` read `x` instead; an output of the graph stays a node, so that none is an input or constant.
  mutating func replace(_ old: ValueID, withValue x: ValueID, in graph: Graph) {
    guard graph.value(old).isGraphOutput, graph.producer(of: x) == nil else {
      return replace(old, with: x.operand)
    }
    replace(old, with: node(Identity(), name: graph.value(old).name, inputs: [x.operand]))
  }
}

extension Graph {
  /// Values with more readers than this are hubs: to look at all of them at every turn would not be linear.
  static let readerLimit = 32

  /// A value that a Transpose outside of `excluded` has already made of `x`.
  func transposed(
    _ x: ValueID, by permutation: Permutation, exceptIn excluded: Set<NodeID> = []
  ) -> ValueID? {
    let value = value(x)
    guard !value.isConstant, value.useCount <= Self.readerLimit else { return nil }
    return value.consumers.lazy.map { node($0) }
      .first { !excluded.contains($0.id) && $0.op(as: Transpose.self)?.permutation == permutation.axes }?
      .output
  }

  /// The node and its permutation when `id` is the result of a Transpose.
  func transpose(producing id: ValueID?) -> (node: Node, source: ValueID, permutation: Permutation)? {
    guard let node = producer(of: id), let op = node.op(as: Transpose.self), let source = node.input(0) else {
      return nil
    }
    return (node, source, Permutation(op.permutation))
  }

  /// The same for a Transpose that moves data; others are Reshapes in disguise.
  func costlyTranspose(
    producing id: ValueID?
  ) -> (node: Node, source: ValueID, permutation: Permutation)? {
    guard let found = transpose(producing: id),
      !found.permutation.isReshape(of: type(of: found.source).shape)
    else { return nil }
    return found
  }
}

extension Tensor {
  func transposed(by permutation: Permutation) -> Tensor {
    region(permutation.applied(to: shape), strides: permutation.applied(to: rowMajorStrides(shape)))
  }
}
