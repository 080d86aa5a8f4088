import SepalGraph

/// Runs every operator that knows layouts on channels-first values, as ONNX has them.
///
/// Before: y = Op(x, w, …) {layout: channelsLast}
/// After:  y = Transpose(Op(Transpose(x), w, …) {layout: channelsFirst}); 1-D, 2-D and 3-D alike
/// Requires: Op has a `layout`, now channelsLast. Operands of x's rank that are not parameters (x, a residual) are
/// transposed; results of another rank (a pooled [N, C]) are the same in both layouts.
/// Exactness: exact. Other passes merge and move the transposes.
struct ChannelsFirst: Pass {
  static let name = "channels-first"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    LayoutChange(to: .channelsFirst).rewrite(node, in: graph)
  }
}
