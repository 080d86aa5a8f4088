import SepalGraph
import SepalTensor

extension LayerRules {
  /// Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: kernel [spatial…, out, in].
  ///
  /// What Keras computes is the gradient of a convolution over the output, so it is that convolution's padding that is
  /// taken off.
  static func convTranspose(rank: Int) -> Rule {
    { context throws(KerasError) in
      try context.requireUngrouped()
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      let channels = shape[layout.channelAxis(rank: rank + 2)]
      let filters = try context.filters()
      let spatial = try context.kernelSize(rank: rank)
      let op = try context.convTranspose(spatial, over: shape, layout: layout)
      try context.checkKernelOrientation(spatial)
      let hasBias = try context.hasBias()
      let variables = try context.variables(
        [VariableSpec("kernel", shape: spatial + [filters, channels])]
          + (hasBias ? [context.biasSpec(filters)] : []))
      let weight = try context.parameter(
        "kernel", variables[0], permutation: [rank + 1, rank] + Array(0..<rank))
      let result = try context.add(
        op, [input, weight, hasBias ? try context.parameter("bias", variables[1]) : nil],
        step: context.preactivation)
      return [try context.activate(result)]
    }
  }
}

extension LayerContext {
  fileprivate func convTranspose(
    _ kernel: [Int], over shape: [Int], layout: Layout
  ) throws(KerasError) -> ConvTranspose {
    let rank = kernel.count
    let isSame = try choice("padding", default: "valid", ["same": true, "valid": false])
    let outputPadding =
      entry("output_padding") == nil
      ? [Int?](repeating: nil, count: rank) : try ints("output_padding", count: rank).map(Optional.some)
    var op = ConvTranspose(
      strides: try strides(rank: rank), padBegins: [], padEnds: [], dilations: try dilations(rank: rank),
      outputPadding: [], layout: layout)
    for axis in 0..<rank {
      let (stride, dilation) = (op.strides[axis], op.dilations[axis])
      if let extra = outputPadding[axis], !(0..<stride).contains(extra) {
        throw invalid("output_padding", "is \(extra), expected less than the stride of \(stride)")
      }
      let input = shape[layout.firstSpatialAxis + axis]
      let reach = try product(kernel[axis] - 1, dilation, "dilation_rate") + 1
      let span = try product(max(input - 1, 0), stride, "strides")
      // Along this axis: all that the kernel touches, and how much of it Keras keeps.
      let full = span + reach
      let output =
        switch (isSame, outputPadding[axis]) {
        case (true, nil): span + stride
        case (true, let extra?): span + reach % 2 + extra
        case (false, nil): span + max(reach, stride)
        case (false, let extra?): full + extra
        }
      let begin = isSame ? max(full - output, 0) / 2 : 0
      let end = full - begin - output
      op.padBegins.append(begin)
      op.padEnds.append(max(end, 0))
      op.outputPadding.append(max(-end, 0))
    }
    return op
  }
}
