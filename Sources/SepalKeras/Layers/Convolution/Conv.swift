import SepalGraph
import SepalTensor

extension LayerRules {
  /// Conv1D, Conv2D, Conv3D: kernel [spatial…, in/groups, out].
  static func conv(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let filters = try context.filters()
      let groups = try context.size("groups", default: 1)
      guard channels.isMultiple(of: groups), filters.isMultiple(of: groups) else {
        throw context.invalid(
          "groups", "is \(groups), which divides \(channels) inputs or \(filters) filters unevenly")
      }
      let spatial = try context.kernelSize(rank: rank)
      let window = try context.window(
        kernel: spatial, over: shape, layout: layout, strides: try context.strides(rank: rank),
        dilations: try context.dilations(rank: rank))
      try context.checkKernelOrientation(spatial)
      let hasBias = try context.hasBias()
      let kernel = StoredKernel(
        spatial: spatial, inputs: channels / groups, outputs: filters, layout: layout,
        version: context.version)
      let variables = try context.variables([kernel.spec] + (hasBias ? [context.biasSpec(filters)] : []))
      let result = try context.add(
        Conv(window, groups: groups, layout: layout),
        [
          input, try kernel.weight(variables[0], context),
          hasBias ? try context.parameter("bias", variables[1]) : nil,
        ],
        step: context.preactivation)
      return [try context.activate(result)]
    }
  }

  /// DepthwiseConv1D and 2D: kernel [spatial…, in, multiplier]; output channel c·multiplier + j reads channel c.
  static func depthwiseConv(rank: Int) -> Rule {
    { context throws(KerasError) in
      try context.requireUngrouped()
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let multiplier = try context.size("depth_multiplier", default: 1)
      let filters = try context.product(channels, multiplier, "depth_multiplier")
      let spatial = try context.kernelSize(rank: rank)
      let window = try context.window(
        kernel: spatial, over: shape, layout: layout, strides: try context.strides(rank: rank),
        dilations: try context.dilations(rank: rank))
      try context.checkKernelOrientation(spatial)
      let hasBias = try context.hasBias()
      let variables = try context.variables(
        [VariableSpec("kernel", "depthwise_kernel", shape: spatial + [channels, multiplier])]
          + (hasBias ? [context.biasSpec(filters)] : []))
      let result = try context.add(
        Conv(window, groups: channels, layout: layout),
        [
          input, try context.depthwiseKernel("kernel", variables[0]),
          hasBias ? try context.parameter("bias", variables[1]) : nil,
        ],
        step: context.preactivation)
      return [try context.activate(result)]
    }
  }
}

extension Conv {
  init(_ window: WindowConfig, groups: Int, layout: Layout) {
    self.init(
      strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, groups: groups, layout: layout)
  }
}

extension LayerContext {
  /// [spatial…, in, multiplier] as the weight [in·multiplier, 1, spatial…] of a convolution with `in` groups.
  func depthwiseKernel(_ name: String, _ kernel: Tensor) throws(KerasError) -> ValueID {
    let rank = kernel.shape.count - 2
    let spatial = Array(kernel.shape.prefix(rank))
    let transposed = try kernel.transposed([rank, rank + 1] + Array(0..<rank))
    return try parameter(
      name, transposed.reshaped([kernel.shape[rank] * kernel.shape[rank + 1], 1] + spatial))
  }
}
