import SepalGraph
import SepalTensor

/// One legal use of each operator, with what its layouts and older operator sets make of it.
struct ExportExample: Sendable, CustomStringConvertible {
  var op: any Operator
  var inputs: [TensorType?]

  var description: String {
    "\(op.name) \(op.nonDefaultAttributes.map { "\($0.name): \($0.value)" }.joined(separator: ", "))"
  }

  /// Operators of one or two images need no entry in `special`.
  static let all: [ExportExample] = OperatorRegistry.all.flatMap { type in
    special[type.schema.name]
      ?? [ExportExample(op: type.init(), inputs: type.schema.inputs.map { $0.isOptional ? nil : image })]
  }

  private static let image = TensorType(.float32, [2, 4, 6, 8])
  private static let lastImage = TensorType(.float32, [2, 6, 8, 4])
  private static let flags = TensorType(.bool, [2, 3])
  private static let c = TensorType(.float32, [4])
  private static func floats(_ shape: Int...) -> TensorType { TensorType(.float32, shape) }

  private static func recurrent(rows: Int, _ rest: TensorType?...) -> [TensorType?] {
    [floats(2, 4, 5), floats(rows, 5), floats(rows, 3)] + rest
  }

  private static let list: [(any Operator, [TensorType?])] = [
    (Add(activation: .gelu), [image, c.reshaped(4, 1, 1)]),
    (Add(activation: .geluTanh), [image, image]),
    (And(), [flags, flags]), (Or(), [flags, flags]), (Xor(), [flags, flags]), (Not(), [flags]),
    (Arange(start: 1, delta: 2, count: 3, element: .int32), []),
    (AveragePool(kernel: [3, 2], strides: [2, 1], padBegins: [1, 0], countIncludePad: true), [image]),
    (AveragePool(kernel: [2, 2], layout: .channelsLast), [lastImage]),
    (BatchNorm(epsilon: 1e-3, activation: .relu), [image, c, c, c, c]),
    (BatchNorm(epsilon: 1e-3, layout: .channelsLast), [lastImage, c, c, c, c]),
    (Cast(to: .int32), [image]),
    (Clip(min: -0.5, max: 0.25), [image]), (Clip(), [image]), (Clip(min: 0, max: 6), [image]),
    (Concat(axis: 1), [image, image, image]),
    (
      Conv(strides: [2, 1], padBegins: [1, 0], groups: 2, activation: .clip(min: 0, max: 6)),
      [image, floats(6, 2, 3, 2), floats(6), nil]
    ),
    (
      Conv(layout: .channelsLast, activation: .hardSwish),
      [lastImage, floats(5, 4, 1, 1), nil, floats(2, 6, 8, 5)]
    ),
    (Conv(activation: .silu), [image, floats(4, 4, 1, 1), c, image]),
    (
      ConvTranspose(strides: [2, 1], padEnds: [1, 1], outputPadding: [1, 0], groups: 2, activation: .tanh),
      [image, floats(4, 3, 3, 2), floats(6)]
    ),
    (CumSum(axis: 2, exclusive: true, reverse: true), [image]),
    (DepthToSpace(blockSize: 2, mode: .crd), [image]),
    (DepthToSpace(blockSize: 2, mode: .dcr, layout: .channelsLast), [lastImage]),
    (Elu(alpha: 0.5), [image]),
    (Expand(shape: [2, 3, 4]), [floats(3, 1)]),
    (
      GRU(recurrentActivation: .activation(.hardSigmoid(alpha: 0.25, beta: 0.5)), resetAfter: true),
      recurrent(rows: 9, floats(9), floats(9))
    ),
    (Gather(axis: 1), [image, TensorType(.int64, [2, 2])]),
    (GatherElements(axis: 1), [image, TensorType(.int64, [2, 3, 6, 8])]),
    (Gelu(), [image]), (Gelu(approximate: true), [image]),
    (Gemm(transB: true, alpha: 0.5, activation: .sigmoid), [floats(3, 4), floats(5, 4), floats(5)]),
    (GlobalAveragePool(layout: .channelsFirst), [image]),
    (GlobalAveragePool(layout: .channelsFirst, keepDims: false), [image]),
    (GlobalAveragePool(layout: .channelsLast), [lastImage]),
    (GlobalMaxPool(layout: .channelsFirst), [image]),
    (GlobalMaxPool(layout: .channelsLast, keepDims: false), [lastImage]),
    (GroupNorm(groups: 2), [image, c, c]), (GroupNorm(groups: 2, layout: .channelsLast), [lastImage, c, c]),
    (InstanceNorm(), [image, c, c]),
    (LRN(size: 3), [image]), (LRN(size: 2, layout: .channelsLast), [lastImage]),
    (
      LSTM(activation: .softsign, reverse: true),
      recurrent(rows: 12, floats(12), nil, floats(2, 3), floats(2, 3))
    ),
    (LayerNorm(axis: 2), [image, floats(6, 8), floats(8)]), (LayerNorm(axis: -1), [image, floats(8), nil]),
    (MatMul(), [floats(2, 1, 3, 4), floats(2, 4, 5)]),
    (MaxPool(kernel: [2, 2], dilations: [2, 3]), [image]),
    (MaxPool(kernel: [2, 2], ceilMode: true, layout: .channelsLast), [lastImage]),
    (Mod(), [image, image]), (Mod(fmod: true), [image, image]),
    (Mul(activation: .leakyRelu(alpha: 0.125)), [image, image]),
    (Pad(begins: [0, 1, -1, 2], ends: [0, 0, 1, 1], mode: .edge, value: 0), [image]),
    (Pad(begins: [0, 0, 1, 1], ends: [0, 0, 1, 1], mode: .constant, value: -1.5), [image]),
    (ReduceL2(axes: [1, 3], keepDims: false), [image]), (ReduceMean(axes: [2], keepDims: true), [image]),
    (ReduceSum(axes: [0], keepDims: false), [image]), (ReduceSumSquare(axes: [3], keepDims: true), [image]),
    (Reshape(shape: [2, 192]), [image]), (Reshape(shape: [0, 3]), [floats(2, 0)]),
    (Resize(sizes: [2, 4, 12, 4], scales: [1, 1, 2, 0.5], mode: .linear), [image]),
    (
      Resize(sizes: [2, 4, 9, 8], scales: [1, 1, 1.5, 1], coordinates: .pixelCenter, nearestMode: .floor),
      [image]
    ),
    (
      Resize(sizes: [2, 4, 7, 8], scales: [1, 1, 7.0 / 6, 1], mode: .cubic, coordinates: .alignCorners),
      [image]
    ),
    (ScaleShift(), [image, c, c]), (ScaleShift(layout: .channelsFirst), [image, c, nil]),
    (ScaleShift(layout: .channelsLast, activation: .relu), [lastImage, c, c]),
    (Selu(alpha: 1.5, gamma: 1.25), [image]),
    (SimpleRNN(activation: .softplus), recurrent(rows: 3)),
    (SimpleRNN(activation: .activation(.elu(alpha: 0.5))), recurrent(rows: 3, nil, floats(3))),
    (Slice(axes: [2, 3], starts: [0, 5], ends: [4, 1], steps: [1, -2]), [image]),
    (Slice(axes: [3], starts: [7], ends: [-1], steps: [-1]), [image]),
    (SpaceToDepth(blockSize: 2), [image]), (SpaceToDepth(blockSize: 2, layout: .channelsLast), [lastImage]),
    (Split(axis: 1, sizes: [1, 3]), [image]),
    (SqueezeExcite(), [image, floats(3, 4), floats(3), floats(4, 3), c]),
    (
      SqueezeExcite(layout: .channelsLast, inner: .silu, gate: .hardSigmoid(alpha: 0.25, beta: 0.5)),
      [lastImage, floats(3, 4), nil, floats(4, 3), nil]
    ),
    (Tile(repeats: [1, 2, 1, 2]), [image]),
    (TopK(axis: 1, k: 2, largest: true, sorted: true), [image]),
    (Transpose(permutation: [0, 2, 3, 1]), [image]),
    (Where(), [TensorType(.bool, [3, 1]), floats(2), floats(4, 1, 1)]),
  ]

  private static let special = Dictionary(
    grouping: list.map { ExportExample(op: $0.0, inputs: $0.1) }, by: { $0.op.name })
}

extension TensorType {
  fileprivate func reshaped(_ shape: Int...) -> TensorType { TensorType(element, shape) }
}
