import SepalGraph
import SepalTensor

extension LayerRules {
  /// SeparableConv1D and 2D: a depthwise convolution without bias, then a pointwise one.
  static func separableConv(rank: Int) -> Rule {
    { context throws(KerasError) in
      try context.requireUngrouped()
      let layout = try context.layout(rank: rank)
      guard context.version != .one || layout == .channelsLast else {
        throw context.unsupported("dim_ordering", "is 'th', expected tf")
      }
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let multiplier = try context.size("depth_multiplier", default: 1)
      let between = try context.product(channels, multiplier, "depth_multiplier")
      let filters = try context.filters()
      let spatial = try context.kernelSize(rank: rank)
      let window = try context.window(
        kernel: spatial, over: shape, layout: layout, strides: try context.strides(rank: rank),
        dilations: try context.dilations(rank: rank))
      try context.checkKernelOrientation(spatial)
      let hasBias = try context.hasBias()
      let ones = [Int](repeating: 1, count: rank)
      let variables = try context.variables(
        [
          VariableSpec("depthwise_kernel", shape: spatial + [channels, multiplier]),
          VariableSpec("pointwise_kernel", shape: ones + [between, filters]),
        ] + (hasBias ? [context.biasSpec(filters)] : []))
      let depthwise = try context.add(
        Conv(window, groups: channels, layout: layout),
        [input, try context.depthwiseKernel("depthwise_kernel", variables[0])], step: "depthwise")
      let zeros = [Int](repeating: 0, count: rank)
      let pointwise = try context.parameter(
        "pointwise_kernel", variables[1], permutation: [rank + 1, rank] + Array(0..<rank))
      let result = try context.add(
        Conv(strides: ones, padBegins: zeros, padEnds: zeros, dilations: ones, layout: layout),
        [depthwise, pointwise, hasBias ? try context.parameter("bias", variables[2]) : nil],
        step: context.preactivation)
      return [try context.activate(result)]
    }
  }
}
