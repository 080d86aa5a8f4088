import SepalGraph
import SepalTensor

/// Leaves out taps at the border of a kernel that are zero for all channels, as in a 1×1 kernel stored as 3×3.
///
/// Before: y = Conv(x, W) {padBegins, padEnds}
/// After:  y = Conv(x, W without a first and b last taps) {padBegins − dilation·a, padEnds − dilation·b}, and the same of
/// ConvTranspose, whose padding cuts off what such taps would add at the borders of y
/// Requires: constant weights of this convolution alone; no padding becomes negative, for that would crop x, or widen y: then
/// fewer taps go. One tap stays.
/// Exactness: exact for finite inputs; a tap of zero made NaN of an infinity.
struct TrimKernelBorder: Pass {
  static let name = "trim-kernel-border"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard var conv = node.op as? any PaddedConvolution, let id = node.input(1),
      let weight = graph.constant(id),
      weight.count > 0, graph.useCount(of: id) == 1
    else { return nil }
    let kernel = Array(weight.shape.dropFirst(2))
    guard kernel.contains(where: { $0 > 1 }) else { return nil }
    let support = KernelSupport(weight)
    guard support.hasZeroBorder else { return nil }
    var kept: [Range<Int>] = []
    for (axis, extent) in kernel.enumerated() {
      let (dilation, begin, end) = (conv.dilations[axis], conv.padBegins[axis], conv.padEnds[axis])
      let used = support.ranges[axis]
      let (atBegin, atEnd) = (
        min(used.lowerBound, begin / dilation), min(extent - used.upperBound, end / dilation)
      )
      kept.append(atBegin..<extent - atEnd)
      conv.padBegins[axis] -= dilation * atBegin
      conv.padEnds[axis] -= dilation * atEnd
    }
    guard kept.map(\.count) != kernel else { return nil }
    var trimmed = weight
    for (axis, range) in kept.enumerated() { trimmed = trimmed.selecting(Array(range), along: axis + 2) }
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    var inputs = node.inputs.map { $0?.operand }
    inputs[1] = rewrite.constant(graph.value(id).name, trimmed)
    rewrite.replace(node.output, with: rewrite.node(conv, name: node.name, inputs: inputs))
    return rewrite
  }
}
