/// A reshape as independent parts: runs of input axes and the runs of output axes that hold the same elements.
///
/// `[2,6,4,5] → [2,3,2,20]` is 2→2, 6→3·2, 4·5→20. Axes of extent 1 belong to no part.
struct ReshapeGroups {
  private struct Group {
    var input: [Int]
    var output: [Int]
  }
  private let groups: [Group]
  private let input: [Int]
  private let output: [Int]

  /// Nil for empty tensors, of which nothing can be said.
  init?(_ input: [Int], _ output: [Int]) {
    guard !input.contains(0), !output.contains(0) else { return nil }
    self.input = input
    self.output = output
    var groups: [Group] = []
    let sources = input.indices.filter { input[$0] != 1 }
    let targets = output.indices.filter { output[$0] != 1 }
    var (i, o) = (0, 0)
    while i < sources.count, o < targets.count {
      var group = Group(input: [sources[i]], output: [targets[o]])
      var (left, right) = (input[sources[i]], output[targets[o]])
      (i, o) = (i + 1, o + 1)
      while left != right {
        if left < right {
          guard i < sources.count else { return nil }
          group.input.append(sources[i])
          left *= input[sources[i]]
          i += 1
        } else {
          guard o < targets.count else { return nil }
          group.output.append(targets[o])
          right *= output[targets[o]]
          o += 1
        }
      }
      groups.append(group)
    }
    self.groups = groups
  }

  /// Some axes become one.
  var merges: Bool { groups.contains { $0.input.count > 1 } }
  /// Some axis becomes several.
  var splits: Bool { groups.contains { $0.output.count > 1 } }

  /// For Reshape(Transpose(x′, order)): a reshape that can come first.
  ///
  /// Axes that are merged have to lie side by side. Where they do not in x′, `operand` is an order between the two: the
  /// parts as they lie in x′, the axes of each part together.
  func sinking(_ order: Permutation) -> (operand: Permutation, shape: [Int], result: Permutation) {
    let sorted = groups.sorted { order[$0.input[0]] < order[$1.input[0]] }
    let axes = Self.withUnitAxes(sorted.flatMap(\.output), rank: output.count)
    let operand =
      areTogether(\.input, in: order.axes, extents: input)
      ? order : Permutation(Self.withUnitAxes(sorted.flatMap(\.input), rank: input.count)).inverse
    return (operand, axes.map { output[$0] }, Permutation(axes).inverse)
  }

  /// For a reshape whose result is Transpose(y′, order): the order of the operand that gives y′ by a reshape.
  /// Nil when parts of one input axis do not lie side by side in y′.
  func lifting(_ order: Permutation) -> Permutation? {
    guard areTogether(\.output, in: order.axes, extents: output) else { return nil }
    let sorted = groups.sorted { order[$0.output[0]] < order[$1.output[0]] }
    return Permutation(Self.withUnitAxes(sorted.flatMap(\.input), rank: input.count)).inverse
  }

  /// Whether the axes of each part are neighbours, in order, where `positions` puts them. Unit axes do not count.
  private func areTogether(_ axes: KeyPath<Group, [Int]>, in positions: [Int], extents: [Int]) -> Bool {
    let present = positions.indices.filter { extents[$0] != 1 }.sorted { positions[$0] < positions[$1] }
    var rank = [Int](repeating: 0, count: positions.count)
    for (index, axis) in present.enumerated() { rank[axis] = index }
    return groups.allSatisfy { group in
      let run = group[keyPath: axes].map { rank[$0] }
      return zip(run, run.dropFirst()).allSatisfy { $0 + 1 == $1 }
    }
  }

  /// All `rank` axes: those of `axes` in that order, each followed by the unit axes behind it, leading ones first.
  private static func withUnitAxes(_ axes: [Int], rank: Int) -> [Int] {
    let listed = Set(axes)
    var result = Array((0..<rank).prefix { !listed.contains($0) })
    for axis in axes {
      result.append(axis)
      result += (axis + 1..<rank).prefix { !listed.contains($0) }
    }
    return result
  }
}
