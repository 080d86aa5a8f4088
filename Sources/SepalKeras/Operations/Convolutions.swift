import SepalGraph
import SepalTensor

extension OperationRules {
  static let convolutions: [String: Rule] = [
    "Conv": conv, "DepthwiseConv": depthwiseConv,
    "compat.v1.nn.conv2d": tensorFlow(rank: 2, conv), "nn.conv2d": tensorFlow(rank: 2, conv),
    "compat.v1.nn.depthwise_conv2d": tensorFlow(rank: 2, depthwiseConv),
    "nn.depthwise_conv2d": tensorFlow(rank: 2, depthwiseConv),
    "AveragePool": averagePool, "MaxPool": maxPool,
    "nn.avg_pool": tensorFlow(rank: nil, averagePool), "nn.avg_pool2d": tensorFlow(rank: 2, averagePool),
    "nn.max_pool": tensorFlow(rank: nil, maxPool), "nn.max_pool2d": tensorFlow(rank: 2, maxPool),
    "compat.v1.nn.avg_pool": tensorFlow(rank: 2, averagePool),
    "compat.v1.nn.max_pool": tensorFlow(rank: 2, maxPool),
  ]

  /// TensorFlow's arguments in Keras's words.
  private static func tensorFlow(rank: Int?, _ rule: @escaping Rule) -> Rule {
    { context throws(KerasError) in
      context.ignore("use_cudnn_on_gpu")
      let x = try context.floatTensor(0, "input", "value")
      let rank = rank ?? context.shape(of: x).count - 2
      var settings: [JSONObject.Member] = []
      guard let padding = context.entry("padding")?.string?.lowercased() else {
        throw context.unsupported("padding", "is a list or missing, expected SAME or VALID")
      }
      settings.append(.init(name: "padding", value: .string(padding)))
      let format = try context.string("data_format", default: rank == 2 ? "NHWC" : "N…C")
      let layout: Layout = format.hasPrefix("NC") ? .channelsFirst : .channelsLast
      settings.append(
        .init(
          name: "data_format", value: .string(layout == .channelsFirst ? "channels_first" : "channels_last")))
      for (field, name) in [
        ("strides", "strides"), ("dilations", "dilation_rate"), ("rate", "dilation_rate"),
        ("ksize", "pool_size"),
      ] where context.entry(field) != nil {
        let values = try context.spatial(field, rank: rank, layout)
        settings.append(.init(name: name, value: .array(values.map(JSON.int))))
      }
      for name in ["filter", "filters"] {
        if let kernel = context.entry(name) { settings.append(.init(name: name, value: kernel)) }
      }
      return try rule(context.reading(JSONObject(settings)))
    }
  }

  /// kernel [spatial…, in/groups, out].
  private static func conv(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, kernel, window, layout) = try context.convolution()
    let (shape, kernelShape) = (context.shape(of: x), context.shape(of: kernel))
    let rank = shape.count - 2
    let (channels, perGroup) = (shape[layout.channelAxis(rank: shape.count)], kernelShape[rank])
    guard perGroup > 0, channels.isMultiple(of: perGroup) else {
      throw KerasError(.invalid, "convolves \(context.type(of: x)) with \(context.type(of: kernel))")
    }
    let weight = try context.add(
      Transpose(permutation: [rank + 1, rank] + Array(0..<rank)), [kernel], step: "weight")
    let op = Conv(
      strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, groups: channels / perGroup, layout: layout)
    return [try context.add(op, [x, weight])]
  }

  /// kernel [spatial…, in, multiplier].
  private static func depthwiseConv(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, kernel, window, layout) = try context.convolution()
    let (shape, kernelShape) = (context.shape(of: x), context.shape(of: kernel))
    let rank = shape.count - 2
    let channels = shape[layout.channelAxis(rank: shape.count)]
    let (filters, overflow) = kernelShape[rank].multipliedReportingOverflow(by: kernelShape[rank + 1])
    guard kernelShape[rank] == channels, !overflow else {
      throw KerasError(.invalid, "convolves \(context.type(of: x)) with \(context.type(of: kernel))")
    }
    let planes = try context.add(
      Transpose(permutation: [rank, rank + 1] + Array(0..<rank)), [kernel], step: "planes")
    let weight = try context.add(
      Reshape(shape: [filters, 1] + kernelShape.prefix(rank)), [planes], step: "weight")
    let op = Conv(
      strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, groups: channels, layout: layout)
    return [try context.add(op, [x, weight])]
  }

  private static func maxPool(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, window, layout) = try context.pool()
    let op = MaxPool(
      kernel: window.kernel, strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, layout: layout)
    return [try context.add(op, [x])]
  }

  /// What `same` pads does not count.
  private static func averagePool(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, window, layout) = try context.pool()
    let op = AveragePool(
      kernel: window.kernel, strides: window.strides, padBegins: window.padBegins, padEnds: window.padEnds,
      dilations: window.dilations, layout: layout)
    return [try context.add(op, [x])]
  }
}

extension LayerContext {
  /// Numbers for the spatial axes: one for all, one for each, or one for every axis of the tensor.
  fileprivate func spatial(_ field: String, rank: Int, _ layout: Layout) throws(KerasError) -> [Int] {
    var values = try ints(field)
    if values.count == 1 { values = [Int](repeating: values[0], count: rank) }
    if values.count == rank + 2 {
      let outer = [0, layout.channelAxis(rank: rank + 2)]
      guard outer.allSatisfy({ values[$0] == 1 }) else {
        throw unsupported(field, "is \(values), expected 1 for batch and channels")
      }
      values = Array(values[layout.firstSpatialAxis..<layout.firstSpatialAxis + rank])
    }
    guard values.count == rank else { throw invalid(field, "has \(values.count) values, expected \(rank)") }
    return values
  }

  fileprivate func convolution() throws(KerasError) -> (
    x: ValueID, kernel: ValueID, window: WindowConfig, layout: Layout
  ) {
    let operands = try promoted(
      [try operand(0, "inputs", "input"), try operand(1, "kernel", "filter", "filters")], with: [.weakFloat])
    let (shape, kernel) = (shape(of: operands[0]), shape(of: operands[1]))
    guard (3...5).contains(shape.count), kernel.count == shape.count, !kernel.contains(0) else {
      throw KerasError(
        .invalid,
        "convolves \(type(of: operands[0])) with \(type(of: operands[1])), expected equal ranks 3 to 5")
    }
    let rank = shape.count - 2
    let layout = try layout()
    let window = try window(
      kernel: Array(kernel.prefix(rank)), over: shape, layout: layout,
      strides: try sizes("strides", count: rank, default: 1),
      dilations: try sizes("dilation_rate", count: rank, default: 1))
    return (operands[0], operands[1], window, layout)
  }

  fileprivate func pool() throws(KerasError) -> (x: ValueID, window: WindowConfig, layout: Layout) {
    let x = try floatTensor(0, "inputs", "input", "value")
    let shape = shape(of: x)
    guard (3...5).contains(shape.count) else {
      throw KerasError(.invalid, "is called with \(type(of: x)), expected rank 3 to 5")
    }
    let layout = try layout()
    let kernel = try sizes("pool_size", count: shape.count - 2)
    let strides = entry("strides") == nil ? kernel : try sizes("strides", count: shape.count - 2)
    return (x, try window(kernel: kernel, over: shape, layout: layout, strides: strides), layout)
  }
}
