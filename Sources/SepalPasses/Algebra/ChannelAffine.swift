import SepalGraph
import SepalTensor

/// y = scale_c·x + shift_c for each channel c, in `Double`.
struct ChannelAffine: Sendable {
  /// Nil for all ones.
  var scale: [Double]?
  /// Nil for all zeros.
  var shift: [Double]?

  /// The function that applies `self` to the result of `inner`.
  func composed(after inner: ChannelAffine) -> ChannelAffine {
    var result = ChannelAffine(scale: scale, shift: shift)
    if let innerScale = inner.scale { result.scale = product(innerScale, scale) }
    if let innerShift = inner.shift {
      let carried = product(innerShift, scale)
      result.shift = shift.map { zip(carried, $0).map(+) } ?? carried
    }
    return result
  }

  private func product(_ values: [Double], _ factors: [Double]?) -> [Double] {
    factors.map { zip(values, $0).map(*) } ?? values
  }
}

extension ChannelAffine {
  /// Inference batch normalisation; nil when a parameter is not constant, or a variance + ε is not positive.
  init?(batchNorm node: Node, in graph: Graph) {
    guard let op = node.op(as: BatchNorm.self), let gamma = graph.constant(node.input(1))?.doubles(),
      let beta = graph.constant(node.input(2))?.doubles(),
      let mean = graph.constant(node.input(3))?.doubles(),
      let variance = graph.constant(node.input(4))?.doubles(),
      variance.allSatisfy({ $0 + op.epsilon > 0 })
    else { return nil }
    let scale = zip(gamma, variance).map { $0 / ($1 + op.epsilon).squareRoot() }
    let shift = beta.indices.map { beta[$0] - mean[$0] * scale[$0] }
    self.init(scale: scale, shift: shift)
  }

  /// A scale-shift, a product or a sum with a constant per channel, where channels are along `axis` of the result;
  /// nil for anything else.
  init?(scaling node: Node, axis: Int, in graph: Graph) {
    guard let x = node.input(0) else { return nil }
    let type = graph.type(of: node.output)
    guard graph.type(of: x) == type, axis < type.rank else { return nil }
    switch node.op {
    case let op as ScaleShift:
      guard op.layout.channelAxis(rank: type.rank) == axis, let scale = graph.constant(node.input(1)) else {
        return nil
      }
      let shift = graph.constant(node.input(2))
      guard (shift != nil) == (node.input(2) != nil) else { return nil }
      self.init(scale: scale.doubles(), shift: shift?.doubles())
    case is Mul:
      guard let scale = graph.constant(node.input(1))?.channelValues(axis: axis, of: type.shape) else {
        return nil
      }
      self.init(scale: scale)
    case is Add:
      guard let shift = graph.constant(node.input(1))?.channelValues(axis: axis, of: type.shape) else {
        return nil
      }
      self.init(shift: shift)
    default: return nil
    }
  }
}
