import SepalGraph
import SepalTensor

/// A convolution, transposed convolution or dense layer with constant weights, as the search for structure sees it: the
/// weights are those of a convolution, `[outputs][inputs of a group][taps]`.
package struct SeparableLayer: Sendable {
  enum Kind: Sendable {
    case convolution(Conv)
    case transposed(ConvTranspose)
    case dense(Gemm)
  }

  /// Why a layer is not looked at.
  enum Refusal: String, Sendable {
    case weights = "its weights are computed"
    case element = "its weights are not float32"
    case notFinite = "its weights are not finite"
    case empty = "it has no weights"
    case shared = "its weights are shared with another layer"
  }

  let node: Node
  let kind: Kind
  let weight: [Float]
  let outputs, inputsPerGroup, groups: Int
  /// Spatial extents; empty for dense layers.
  let kernel: [Int]
  let input, output: TensorType

  var inputs: Int { inputsPerGroup * groups }
  var outputsPerGroup: Int { outputs / groups }
  var taps: Int { kernel.reduce(1, *) }
  /// Whether each channel has kernels of its own already.
  var isDepthwise: Bool { groups > 1 && inputsPerGroup == 1 }
  /// Σ w².
  let energy: Double

  /// `512×512×3×3`, with `/groups` where there are several.
  var kernelText: String {
    ([outputs, inputsPerGroup] + kernel).map(String.init).joined(separator: "×")
      + (groups > 1 ? " / \(groups)" : "")
  }

  /// Nil for nodes of other operators, `.failure` for a layer that cannot be looked at.
  package static func layer(_ node: Node, in graph: Graph) -> Result<SeparableLayer, Refused>? {
    let kind: Kind
    switch node.op {
    case let op as Conv: kind = .convolution(op)
    case let op as ConvTranspose: kind = .transposed(op)
    case let op as Gemm where op.alpha == 1 && op.beta == 1 && !op.transA: kind = .dense(op)
    default: return nil
    }
    guard let id = node.input(1), let tensor = graph.constant(id) else { return .failure(.init(.weights)) }
    guard tensor.element == .float32 else { return .failure(.init(.element)) }
    guard tensor.count > 0 else { return .failure(.init(.empty)) }
    guard graph.useCount(of: id) == 1 else { return .failure(.init(.shared)) }
    let layer = SeparableLayer(
      node, kind, tensor, input: graph.type(of: node.inputs[0] ?? id), output: graph.type(of: node.output))
    return layer.energy.isFinite ? .success(layer) : .failure(.init(.notFinite))
  }

  package struct Refused: Error {
    let reason: Refusal
    init(_ reason: Refusal) { self.reason = reason }
  }

  private init(_ node: Node, _ kind: Kind, _ tensor: Tensor, input: TensorType, output: TensorType) {
    self.node = node
    self.kind = kind
    (self.input, self.output) = (input, output)
    let (shape, values) = (tensor.shape, tensor.floats())
    switch kind {
    case .convolution(let op):
      (outputs, inputsPerGroup, groups) = (shape[0], shape[1], op.groups)
      kernel = Array(shape.dropFirst(2))
      weight = values
    case .transposed(let op):
      (outputs, inputsPerGroup, groups) = (shape[1] * op.groups, shape[0] / op.groups, op.groups)
      kernel = Array(shape.dropFirst(2))
      weight = Self.exchanged(values, groups: groups, first: inputsPerGroup, second: shape[1])
    case .dense(let op):
      (outputs, inputsPerGroup) = op.transB ? (shape[0], shape[1]) : (shape[1], shape[0])
      (groups, kernel) = (1, [])
      weight = op.transB ? values : Self.exchanged(values, groups: 1, first: shape[0], second: shape[1])
    }
    energy = VectorProducts.energy(weight)
  }

  /// `[groups · first][second][taps]` as `[groups · second][first][taps]`.
  package static func exchanged<Value>(
    _ values: [Value], groups: Int, first: Int, second: Int
  ) -> [Value] {
    let taps = values.count / (groups * first * second)
    var result: [Value] = []
    result.reserveCapacity(values.count)
    for group in 0..<groups {
      for b in 0..<second {
        for a in 0..<first {
          let start = ((group * first + a) * second + b) * taps
          result += values[start..<start + taps]
        }
      }
    }
    return result
  }

  /// The weights of input channel `input` as a matrix of outputs of its group by taps.
  func matrix(ofInput input: Int) -> [Double] {
    let (group, own) = (input / inputsPerGroup, input % inputsPerGroup)
    let first = (group * outputsPerGroup * inputsPerGroup + own) * taps
    return matrix(rows: outputsPerGroup, first: first, step: inputsPerGroup * taps)
  }

  /// The weights of output channel `output` as a matrix of inputs of its group by taps.
  func matrix(ofOutput output: Int) -> [Double] {
    matrix(rows: inputsPerGroup, first: output * inputsPerGroup * taps, step: taps)
  }

  private func matrix(rows: Int, first: Int, step: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: rows * taps) { matrix, count in
      weight.withUnsafeBufferPointer { weight in
        for row in 0..<rows {
          for tap in 0..<taps {
            matrix.initializeElement(at: row * taps + tap, to: Double(weight[first + row * step + tap]))
          }
        }
      }
      count = rows * taps
    }
  }
}
