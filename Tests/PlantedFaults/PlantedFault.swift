import SepalGraph
import SepalPasses
import SepalTensor

/// A pass with one mistake, and where in `network()` it makes it.
public struct PlantedFault: Sendable, CustomStringConvertible {
  public var pass: any Pass.Type
  public var before: [String]
  public var origins: [String]
  public var description: String { pass.name }

  public static let all: [PlantedFault] = [
    norm(FoldWithoutBias.self), norm(FoldWithAnotherEpsilon.self), norm(FoldOneStaleStatistic.self),
    norm(FoldWithOneWeightOff.self),
    .init(pass: SwapPads.self, before: ["first (Conv)"], origins: ["first_out"]),
    .init(pass: TransposeWeights.self, before: ["second (Conv)"], origins: ["second_out"]),
    .init(pass: LowerTheKnee.self, before: ["clip (Clip)"], origins: ["clip_out"]),
    .init(pass: DropTheKnee.self, before: ["clip (Clip)"], origins: ["clip_out"]),
    .init(pass: SubtractForAdd.self, before: ["sum (Add)"], origins: ["sum_out"]),
    .init(pass: DropRelu.self, before: ["relu (Relu)"], origins: ["relu_out"]),
  ]

  private static func norm(_ pass: any Pass.Type) -> PlantedFault {
    PlantedFault(pass: pass, before: ["first (Conv)", "norm (BatchNorm)"], origins: ["norm_out"])
  }
}

/// Folds a BatchNorm into the convolution before it, with what `spoil` makes of the numbers.
private func folding(
  _ node: Node, _ graph: Graph, spoil: (inout FoldedNumbers) -> Void
) -> Rewrite? {
  guard let norm = node.op(as: BatchNorm.self),
    let conv = graph.soleProducer(of: node.inputs[0], as: Conv.self),
    let weight = graph.constant(conv.node.input(1)), conv.node.input(2) == nil
  else { return nil }
  let statistics = (1...4).compactMap { graph.constant(node.input($0))?.doubles() }
  guard statistics.count == 4 else { return nil }
  var numbers = FoldedNumbers(
    weight: weight.doubles(), gamma: statistics[0], beta: statistics[1], mean: statistics[2],
    variance: statistics[3], epsilon: norm.epsilon)
  spoil(&numbers)
  var rewrite = Rewrite(removing: [conv.node.id, node.id], exactness: .reassociated)
  let folded = rewrite.constant("folded", Tensor(.float32, weight.shape, doubles: numbers.weights))
  let bias = rewrite.constant("bias", Tensor(.float32, [numbers.gamma.count], doubles: numbers.biases))
  let result = rewrite.node(conv.op, name: node.name, inputs: [conv.node.inputs[0]?.operand, folded, bias])
  rewrite.replace(node.output, with: result)
  return rewrite
}

private struct FoldedNumbers {
  var weight, gamma, beta, mean, variance: [Double]
  var epsilon: Double
  var forgetsBeta = false
  var factor = 1.0

  private var scales: [Double] { zip(gamma, variance).map { $0 / ($1 + epsilon).squareRoot() } }

  var weights: [Double] {
    let perChannel = weight.count / gamma.count
    return weight.enumerated().map { $1 * scales[$0 / perChannel] * ($0 == weight.count / 2 ? factor : 1) }
  }

  var biases: [Double] {
    gamma.indices.map { (forgetsBeta ? 0 : beta[$0]) - mean[$0] * scales[$0] }
  }
}

private struct FoldWithoutBias: Pass {
  static let name = "fold-without-bias"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { folding(node, graph) { $0.forgetsBeta = true } }
}

private struct FoldWithAnotherEpsilon: Pass {
  static let name = "fold-with-another-epsilon"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { folding(node, graph) { $0.epsilon = 1e-2 } }
}

private struct FoldOneStaleStatistic: Pass {
  static let name = "fold-one-stale-statistic"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { folding(node, graph) { $0.mean[7] = 0.3 } }
}

private struct FoldWithOneWeightOff: Pass {
  static let name = "fold-with-one-weight-off"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? { folding(node, graph) { $0.factor = 40 } }
}

/// Replaces `node` by another operator on the same operands, or on others.
private func replacing(
  _ node: Node, by op: any Operator, exactness: Exactness = .exact, constants: [Int: Tensor] = [:]
) -> Rewrite {
  var rewrite = Rewrite(removing: [node.id], exactness: exactness)
  let inputs = node.inputs.enumerated().map { index, input in
    constants[index].map { rewrite.constant("\(node.name):\(index)", $0) } ?? input?.operand
  }
  rewrite.replace(node.output, with: rewrite.node(op, name: node.name, inputs: inputs))
  return rewrite
}

private struct SwapPads: Pass {
  static let name = "swap-pads"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard var conv = node.op(as: Conv.self), conv.padBegins == [0, 0], conv.padEnds == [1, 1] else {
      return nil
    }
    (conv.padBegins, conv.padEnds) = (conv.padEnds, conv.padBegins)
    return replacing(node, by: conv)
  }
}

private struct TransposeWeights: Pass {
  static let name = "transpose-weights"
  private var isDone = false
  init() {}
  mutating func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard !isDone, node.op is Conv, let weight = graph.constant(node.input(1)),
      weight.shape == [16, 16, 1, 1]
    else { return nil }
    isDone = true
    let floats = weight.floats()
    let turned = (0..<256).map { floats[$0 % 16 * 16 + $0 / 16] }
    return replacing(node, by: node.op, constants: [1: Tensor([16, 16, 1, 1], floats: turned)])
  }
}

private struct LowerTheKnee: Pass {
  static let name = "lower-the-knee"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    node.op(as: Clip.self)?.max == 6 ? replacing(node, by: Clip(min: 0, max: 5.9)) : nil
  }
}

private struct DropTheKnee: Pass {
  static let name = "drop-the-knee"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    node.op is Clip ? replacing(node, by: Relu()) : nil
  }
}

private struct SubtractForAdd: Pass {
  static let name = "subtract-for-add"
  func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    node.op is Add ? replacing(node, by: Sub()) : nil
  }
}

/// Right after what is never negative.
public struct DropRelu: Pass {
  public static let name = "drop-relu"
  public init() {}
  public func rewrite(_ node: Node, in graph: Graph) -> Rewrite? {
    guard node.op is Relu, let input = node.inputs[0] else { return nil }
    var rewrite = Rewrite(removing: [node.id], exactness: .exact)
    rewrite.replace(node.output, with: input.operand)
    return rewrite
  }
}
