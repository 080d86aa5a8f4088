import SepalGraph
import SepalTensor

/// One legal use of an operator, small enough to evaluate thousands of variations of it.
struct OperatorExample: Sendable, CustomStringConvertible {
  var op: any Operator
  var inputs: [TensorType?]

  var description: String {
    let attributes = op.nonDefaultAttributes.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    return "\(op.name)(\(inputs.map { $0?.description ?? "_" }.joined(separator: ", "))) {\(attributes)}"
  }

  /// One per registered operator. Operators of one or two numeric inputs need no entry in `special`.
  static let all: [OperatorExample] = OperatorRegistry.all.map { type in
    special[type.schema.name]
      ?? OperatorExample(
        op: type.init(), inputs: type.schema.inputs.map { $0.isOptional ? nil : image })
  }

  private static let image = TensorType(.float32, [2, 4, 5, 6])
  private static let flags = TensorType(.bool, [2, 3])
  private static let channels = TensorType(.float32, [4])

  /// Four steps of five numbers into a state of three, for two samples: x and the weights.
  private static func recurrent(rows: Int) -> [TensorType?] {
    [TensorType(.float32, [2, 4, 5]), TensorType(.float32, [rows, 5]), TensorType(.float32, [rows, 3])]
  }

  private static let special: [String: OperatorExample] = Dictionary(
    uniqueKeysWithValues: [
      (And(), [flags, flags]),
      (Arange(start: 1, delta: 2, count: 3, element: .int32), []),
      (AveragePool(kernel: [3, 2], strides: [2, 1], padBegins: [1, 0], ceilMode: true), [image]),
      (BatchNorm(), [image, channels, channels, channels, channels]),
      (Concat(axis: 1), [image, image, image]),
      (
        Conv(strides: [2, 1], padBegins: [1, 0], groups: 2, activation: .relu),
        [image, TensorType(.float32, [6, 2, 3, 2]), TensorType(.float32, [6]), nil]
      ),
      (
        ConvTranspose(strides: [2, 1], padEnds: [1, 1], outputPadding: [1, 0], groups: 2),
        [image, TensorType(.float32, [4, 3, 3, 2]), TensorType(.float32, [6])]
      ),
      (DepthToSpace(blockSize: 2, mode: .crd, layout: .channelsFirst), [image]),
      (Expand(shape: [2, 3, 4]), [TensorType(.float32, [3, 1])]),
      (
        GRU(recurrentActivation: .activation(.hardSigmoid(alpha: 0.2, beta: 0.5)), resetAfter: true),
        recurrent(rows: 9) + [TensorType(.float32, [9]), TensorType(.float32, [9])]
      ),
      (Gather(axis: 1), [image, TensorType(.int64, [2, 2])]),
      (GatherElements(axis: 1), [image, TensorType(.int64, [2, 3, 5, 6])]),
      (
        Gemm(transB: true),
        [TensorType(.float32, [3, 4]), TensorType(.float32, [5, 4]), TensorType(.float32, [5])]
      ),
      (GroupNorm(groups: 2), [image, channels, channels]),
      (InstanceNorm(), [image, channels, channels]),
      (LRN(size: 3), [image]),
      (
        LSTM(reverse: true),
        recurrent(rows: 12) + [TensorType(.float32, [12]), nil, TensorType(.float32, [2, 3])]
      ),
      (LayerNorm(axis: 2), [image, TensorType(.float32, [5, 6]), TensorType(.float32, [6])]),
      (MatMul(), [TensorType(.float32, [2, 1, 3, 4]), TensorType(.float32, [2, 4, 5])]),
      (MaxPool(kernel: [2, 2], dilations: [2, 3]), [image]),
      (Not(), [flags]),
      (Or(), [flags, flags]),
      (Pad(begins: [0, 1, -1, 2], ends: [0, 0, 1, 1], mode: .edge, value: 0), [image]),
      (Reshape(shape: [2, 120]), [image]),
      (
        Resize(
          sizes: [2, 4, 10, 3], scales: [1, 1, 2, 0.5], mode: .linear, coordinates: .halfPixel,
          nearestMode: .floor, cubicCoefficient: -0.75, excludeOutside: false), [image]
      ),
      (ScaleShift(), [image, channels, channels]),
      (SimpleRNN(activation: .softplus), recurrent(rows: 3)),
      (Slice(axes: [2, 3], starts: [0, 5], ends: [4, 1], steps: [1, -2]), [image]),
      (SpaceToDepth(blockSize: 2, layout: .channelsLast), [TensorType(.float32, [1, 4, 6, 3])]),
      (Split(axis: 1, sizes: [1, 3]), [image]),
      (
        SqueezeExcite(),
        [
          image, TensorType(.float32, [3, 4]), TensorType(.float32, [3]), TensorType(.float32, [4, 3]),
          channels,
        ]
      ),
      (Tile(repeats: [1, 2, 1, 2]), [image]),
      (TopK(axis: 1, k: 2, largest: true, sorted: true), [image]),
      (Transpose(permutation: [0, 2, 3, 1]), [image]),
      (Where(), [TensorType(.bool, [3, 1]), TensorType(.float32, [2]), TensorType(.float32, [4, 1, 1])]),
      (Xor(), [flags, flags]),
    ].map { (op: any Operator, inputs: [TensorType?]) in (op.name, OperatorExample(op: op, inputs: inputs)) })
}
