import SepalGraph
import SepalTensor

/// Leaves out channels between two convolutions that say nothing: those that nobody weighs, those that are the same
/// everywhere, and those that are the same as another one.
///
/// Before: z = Conv(act(Conv(x, W) + b), V) + d
/// After:  the same without channel c of W, b and V, where
///   V is zero for c; or W is zero for c, so that the channel is v = act(b_c), with V·v added to d;
///   or W and b are the same for c as for an earlier channel, to whose weights V's are added.
/// Either may be a transposed convolution.
/// Requires: constant weights of these convolutions alone, dense ones; the second one alone reads the first, which has no
/// residual; a channel that is not zero everywhere goes only where the second convolution pads nothing and is not
/// transposed, for then not every output sees all of its taps.
/// Exactness: reassociated for finite inputs.
struct DropUselessChannels: Pass {
  static let name = "drop-useless-channels"

  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard let edge = ChannelEdge(into: node, in: graph), edge.channels > 1 else { return nil }
    let seesAllTaps =
      edge.target is Conv && (edge.target.padBegins + edge.target.padEnds).allSatisfy { $0 == 0 }
    let (outputs, channels) = (edge.targetWeight.shape[0], edge.channels)
    let taps = edge.targetWeight.count / (outputs * channels)
    let filters = edge.sourceWeight.floats()
    let width = filters.count / channels
    let bias = edge.sourceBias?.floats() ?? [Float](repeating: 0, count: channels)
    var weights = edge.targetWeight.doubles()
    guard weights.allSatisfy(\.isFinite), filters.allSatisfy(\.isFinite) else { return nil }
    let oldBias = graph.constant(node.input(2))?.doubles()
    // A bias that is computed stays.
    let takesSums = seesAllTaps && (oldBias != nil || node.input(2) == nil)
    var sums = oldBias ?? [Double](repeating: 0, count: outputs)
    func isRead(_ channel: Int) -> Bool {
      (0..<outputs).contains { output in
        let start = (output * channels + channel) * taps
        return weights[start..<start + taps].contains { $0 != 0 }
      }
    }
    var kept: [Int] = []
    var firsts: [[Float]: Int] = [:]
    var movesBias = false
    for channel in 0..<channels {
      guard isRead(channel) else { continue }
      let filter = filters[channel * width..<(channel + 1) * width]
      if filter.allSatisfy({ $0 == 0 }) {
        var value = [Double(bias[channel])]
        edge.source.activation.apply(to: &value)
        if value[0] == 0 { continue }
        if takesSums, value[0].isFinite {
          movesBias = true
          for output in 0..<outputs {
            let start = (output * channels + channel) * taps
            sums[output] += value[0] * weights[start..<start + taps].reduce(0, +)
          }
          continue
        }
      }
      let key = filter.map { $0 + 0 } + [bias[channel] + 0]
      if let first = firsts[key] {
        for output in 0..<outputs {
          for tap in 0..<taps {
            weights[(output * channels + first) * taps + tap] +=
              weights[(output * channels + channel) * taps + tap]
          }
        }
      } else {
        firsts[key] = channel
        kept.append(channel)
      }
    }
    if kept.isEmpty { kept = [0] }
    guard kept.count < channels else { return nil }
    let shape = edge.targetWeight.shape
    return edge.rewrite(
      keeping: kept, target: Tensor(.float32, shape, doubles: weights).selecting(kept, along: 1),
      bias: movesBias ? Tensor(.float32, [outputs], doubles: sums) : nil, exactness: .reassociated, in: graph)
  }
}
