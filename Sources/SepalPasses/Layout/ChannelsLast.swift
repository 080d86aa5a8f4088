import SepalGraph

/// Runs every operator that knows layouts on channels-last values.
///
/// Before: y = Op(x, w, …) {layout: channelsFirst}
/// After:  y = Transpose(Op(Transpose(x), w, …) {layout: channelsLast}); 1-D, 2-D and 3-D alike
/// Requires: Op has a `layout`, now channelsFirst. Operands of x's rank that are not parameters (x, a residual) are
/// transposed; results of another rank (a pooled [N, C]) are the same in both layouts.
/// Exactness: exact. Other passes merge and move the transposes.
struct ChannelsLast: Pass {
  static let name = "channels-last"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    LayoutChange(to: .channelsLast).rewrite(node, in: graph)
  }
}
