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

  /// For Reshape(Transpose(x′, order)): the shape for reshaping x′ first, and the order of that result.
  /// Nil when axes that the reshape merges do not lie side by side in x′.
  func sinking(_ order: Permutation) -> (shape: [Int], order: Permutation)? {
    guard let sorted = sorted(axes: \.input, by: order.axes, extents: input) else { return nil }
    let axes = Self.withUnitAxes(sorted.flatMap(\.output), rank: output.count)
    return (axes.map { output[$0] }, Permutation(axes).inverse)
  }

  /// For a reshape whose result is Transpose(y′, order): the order of the operand that gives y′ by a reshape.
  /// Nil when parts of one input axis do not lie side by side in y′.
  func lifting(_ order: Permutation) -> Permutation? {
    guard let sorted = sorted(axes: \.output, by: order.axes, extents: output) else { return nil }
    return Permutation(Self.withUnitAxes(sorted.flatMap(\.input), rank: input.count)).inverse
  }

  /// The groups in the order in which their axes lie where `positions` puts them.
  private func sorted(
    axes: KeyPath<Group, [Int]>, by positions: [Int], extents: [Int]
  ) -> [Group]? {
    // Positions among the axes that matter.
    let present = positions.indices.filter { extents[$0] != 1 }.sorted { positions[$0] < positions[$1] }
    var rank = [Int](repeating: 0, count: positions.count)
    for (index, axis) in present.enumerated() { rank[axis] = index }
    for group in groups {
      let run = group[keyPath: axes].map { rank[$0] }
      guard zip(run, run.dropFirst()).allSatisfy({ $0 + 1 == $1 }) else { return nil }
    }
    return groups.sorted { (rank[$0[keyPath: axes][0]]) < (rank[$1[keyPath: axes][0]]) }
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
