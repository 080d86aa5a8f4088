/// A TensorFlow operator as a `TensorFlowOpLayer` of Keras 2.2 to 2.4 wraps it: the function that it stands for, and
/// what that calls the operator's inputs and attributes.
struct RawOperator {
  let function: String
  var inputs: [String] = []
  /// Takes a list of tensors first; `inputs` follow it.
  var isVariadic = false
  /// Attribute and setting. Types and such are left out.
  var settings: [(attribute: String, setting: String)] = []

  static let byName: [String: RawOperator] = [
    "Abs": RawOperator("math.abs"), "Neg": RawOperator("math.negative"), "Sign": RawOperator("math.sign"),
    "Square": RawOperator("math.square"), "Ceil": RawOperator("math.ceil"), "Cos": RawOperator("math.cos"),
    "Erf": RawOperator("math.erf"), "Exp": RawOperator("math.exp"), "Expm1": RawOperator("math.expm1"),
    "Floor": RawOperator("math.floor"), "Log": RawOperator("math.log"), "Log1p": RawOperator("math.log1p"),
    "Reciprocal": RawOperator("math.reciprocal"), "Inv": RawOperator("math.reciprocal"),
    "Rint": RawOperator("math.rint"), "Round": RawOperator("math.round"), "Rsqrt": RawOperator("math.rsqrt"),
    "Sin": RawOperator("math.sin"), "Sqrt": RawOperator("math.sqrt"), "Identity": RawOperator("identity"),
    "StopGradient": RawOperator("stop_gradient"), "LogicalNot": RawOperator("math.logical_not"),
    "IsNan": RawOperator("math.is_nan"), "ZerosLike": RawOperator("zeros_like"),
    "OnesLike": RawOperator("ones_like"),

    "Elu": RawOperator("nn.elu"), "Relu": RawOperator("nn.relu"), "Relu6": RawOperator("nn.relu6"),
    "Selu": RawOperator("nn.selu"), "Sigmoid": RawOperator("math.sigmoid"),
    "Softmax": RawOperator("nn.softmax"),
    "LogSoftmax": RawOperator("nn.log_softmax"), "Softplus": RawOperator("math.softplus"),
    "Softsign": RawOperator("nn.softsign"), "Tanh": RawOperator("math.tanh"),
    "LeakyRelu": RawOperator("nn.leaky_relu", settings: [("alpha", "alpha")]),

    "Add": RawOperator("math.add", "x", "y"), "AddV2": RawOperator("math.add", "x", "y"),
    "Sub": RawOperator("math.subtract", "x", "y"), "Mul": RawOperator("math.multiply", "x", "y"),
    "RealDiv": RawOperator("math.truediv", "x", "y"), "Div": RawOperator("math.truediv", "x", "y"),
    "FloorDiv": RawOperator("math.floordiv", "x", "y"), "FloorMod": RawOperator("math.floormod", "x", "y"),
    "DivNoNan": RawOperator("math.divide_no_nan", "x", "y"), "Maximum": RawOperator("math.maximum", "x", "y"),
    "Minimum": RawOperator("math.minimum", "x", "y"), "Pow": RawOperator("math.pow", "x", "y"),
    "SquaredDifference": RawOperator("math.squared_difference", "x", "y"),
    "Equal": RawOperator("math.equal", "x", "y"), "NotEqual": RawOperator("math.not_equal", "x", "y"),
    "Greater": RawOperator("math.greater", "x", "y"),
    "GreaterEqual": RawOperator("math.greater_equal", "x", "y"),
    "Less": RawOperator("math.less", "x", "y"), "LessEqual": RawOperator("math.less_equal", "x", "y"),
    "LogicalAnd": RawOperator("math.logical_and", "x", "y"),
    "LogicalOr": RawOperator("math.logical_or", "x", "y"),
    "SelectV2": RawOperator("where", "condition", "x", "y"),
    "AddN": RawOperator("math.add_n", isVariadic: true),
    "BiasAdd": RawOperator("nn.bias_add", "value", "bias", settings: [("data_format", "data_format")]),
    "MatMul": RawOperator(
      "linalg.matmul", "a", "b", settings: [("transpose_a", "transpose_a"), ("transpose_b", "transpose_b")]),
    "BatchMatMulV2": RawOperator(
      "linalg.matmul", "a", "b", settings: [("adj_x", "transpose_a"), ("adj_y", "transpose_b")]),

    "All": reduction("math.reduce_all"), "Any": reduction("math.reduce_any"),
    "Max": reduction("math.reduce_max"), "Mean": reduction("math.reduce_mean"),
    "Min": reduction("math.reduce_min"), "Prod": reduction("math.reduce_prod"),
    "Sum": reduction("math.reduce_sum"),
    "ArgMax": RawOperator("math.argmax", "input", "axis", settings: [("output_type", "output_type")]),
    "ArgMin": RawOperator("math.argmin", "input", "axis", settings: [("output_type", "output_type")]),
    "Cumsum": RawOperator(
      "math.cumsum", "x", "axis", settings: [("exclusive", "exclusive"), ("reverse", "reverse")]),

    "Cast": RawOperator("cast", settings: [("DstT", "dtype")]),
    "ClipByValue": RawOperator("clip_by_value", "t", "clip_value_min", "clip_value_max"),
    "ConcatV2": RawOperator("concat", "axis", isVariadic: true),
    "Pack": RawOperator("stack", isVariadic: true, settings: [("axis", "axis")]),
    "Unpack": RawOperator("unstack", "value", settings: [("axis", "axis"), ("num", "num")]),
    "ExpandDims": RawOperator("expand_dims", "input", "axis"),
    "GatherV2": RawOperator("gather", "params", "indices", "axis", settings: [("batch_dims", "batch_dims")]),
    "Pad": RawOperator("pad", "tensor", "paddings"),
    "PadV2": RawOperator("pad", "tensor", "paddings", "constant_values"),
    "MirrorPad": RawOperator("pad", "tensor", "paddings", settings: [("mode", "mode")]),
    "Reshape": RawOperator("reshape", "tensor", "shape"),
    "ReverseV2": RawOperator("reverse", "tensor", "axis"),
    "Shape": RawOperator("shape", settings: [("out_type", "out_type")]),
    "Slice": RawOperator("slice", "input_", "begin", "size"),
    "Split": RawOperator("split", "axis", "value", settings: [("num_split", "num_or_size_splits")]),
    "SplitV": RawOperator("split", "value", "num_or_size_splits", "axis"),
    "Squeeze": RawOperator("squeeze", "input", settings: [("squeeze_dims", "axis")]),
    "StridedSlice": RawOperator(
      "strided_slice", "input_", "begin", "end", "strides",
      settings: ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"].map {
        ($0, $0)
      }),
    "Tile": RawOperator("tile", "input", "multiples"),
    "Transpose": RawOperator("transpose", "a", "perm"),

    "AvgPool": pool("nn.avg_pool2d"), "MaxPool": pool("nn.max_pool2d"),
    "Conv2D": convolution("nn.conv2d"), "DepthwiseConv2dNative": convolution("nn.depthwise_conv2d"),
    "DepthToSpace": RawOperator(
      "nn.depth_to_space", "input", settings: [("block_size", "block_size"), ("data_format", "data_format")]),
    "SpaceToDepth": RawOperator(
      "nn.space_to_depth", "input", settings: [("block_size", "block_size"), ("data_format", "data_format")]),
    "ResizeBilinear": resize("compat.v1.image.resize_bilinear"),
    "ResizeNearestNeighbor": resize("compat.v1.image.resize_nearest_neighbor"),
  ]

  private init(
    _ function: String, _ inputs: String..., isVariadic: Bool = false,
    settings: [(attribute: String, setting: String)] = []
  ) {
    self.function = function
    self.inputs = inputs
    self.isVariadic = isVariadic
    self.settings = settings
  }

  private static func reduction(_ function: String) -> RawOperator {
    RawOperator(function, "input_tensor", "axis", settings: [("keep_dims", "keepdims")])
  }

  private static func pool(_ function: String) -> RawOperator {
    RawOperator(function, "input", settings: ["ksize", "strides", "padding", "data_format"].map { ($0, $0) })
  }

  private static func convolution(_ function: String) -> RawOperator {
    RawOperator(
      function, "input", "filters",
      settings: ["strides", "padding", "data_format", "dilations"].map { ($0, $0) })
  }

  private static func resize(_ function: String) -> RawOperator {
    RawOperator(
      function, "images", "size",
      settings: [("align_corners", "align_corners"), ("half_pixel_centers", "half_pixel_centers")])
  }
}
