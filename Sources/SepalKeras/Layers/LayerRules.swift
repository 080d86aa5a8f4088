import SepalGraph

/// One rule per Keras layer: from a call of the layer to operators of the graph.
///
/// A rule gives the values that the call returns. It reads every argument that it supports; arguments that no one has
/// read and that could matter are refused after it.
enum LayerRules {
  typealias Rule = @Sendable (LayerContext) throws(KerasError) -> [ValueID]

  static let byClassName: [String: Rule] = [
    "Activation": activation,
    "BatchNormalization": batchNormalization,
    "Conv1D": conv(rank: 1),
    "Conv2D": conv(rank: 2),
    "Conv3D": conv(rank: 3),
    "Dense": dense,
    "DepthwiseConv1D": depthwiseConv(rank: 1),
    "DepthwiseConv2D": depthwiseConv(rank: 2),
    "Dropout": identity,
    "Rescaling": rescaling,
  ]
}
