import SepalGraph
import SepalTensor

extension LayerRules {
  /// Conv1D, Conv2D, Conv3D: kernel [spatial…, in/groups, out].
  static func conv(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout()
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let filters = try context.size("filters")
      let groups = try context.size("groups", default: 1)
      let kernel = try context.sizes("kernel_size", count: rank)
      guard channels.isMultiple(of: groups), filters.isMultiple(of: groups) else {
        throw context.invalid(
          "groups", "is \(groups), which divides \(channels) inputs or \(filters) filters unevenly")
      }
      let window = try context.window(
        kernel: kernel, over: shape, layout: layout,
        strides: try context.sizes("strides", count: rank, default: 1),
        dilations: try context.sizes("dilation_rate", count: rank, default: 1))
      let hasBias = try context.bool("use_bias", default: true)
      let variables = try context.variables(
        [VariableSpec("kernel", "W", shape: kernel + [channels / groups, filters])]
          + (hasBias ? [VariableSpec("bias", "b", shape: [filters])] : []))
      let weight = try context.parameter(
        "kernel", variables[0], permutation: [rank + 1, rank] + Array(0..<rank))
      let op = Conv(
        strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
        dilations: window.dilations,
        groups: groups, layout: layout)
      let result = try context.add(
        op, [input, weight, hasBias ? try context.parameter("bias", variables[1]) : nil],
        step: context.preactivation)
      return [try context.activate(result)]
    }
  }

  /// DepthwiseConv1D and 2D: kernel [spatial…, in, multiplier]; output channel c·multiplier + j reads channel c.
  static func depthwiseConv(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout()
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let multiplier = try context.size("depth_multiplier", default: 1)
      let kernel = try context.sizes("kernel_size", count: rank)
      let window = try context.window(
        kernel: kernel, over: shape, layout: layout,
        strides: try context.sizes("strides", count: rank, default: 1),
        dilations: try context.sizes("dilation_rate", count: rank, default: 1))
      let hasBias = try context.bool("use_bias", default: true)
      let filters = channels.multipliedReportingOverflow(by: multiplier)
      guard !filters.overflow else { throw context.invalid("depth_multiplier", "is too large") }
      let variables = try context.variables(
        [VariableSpec("kernel", "depthwise_kernel", shape: kernel + [channels, multiplier])]
          + (hasBias ? [VariableSpec("bias", shape: [filters.partialValue])] : []))
      let weight = try context.depthwiseKernel("kernel", variables[0])
      let op = Conv(
        strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
        dilations: window.dilations,
        groups: channels, layout: layout)
      let result = try context.add(
        op, [input, weight, hasBias ? try context.parameter("bias", variables[1]) : nil],
        step: context.preactivation)
      return [try context.activate(result)]
    }
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
