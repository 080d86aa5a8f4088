import SepalTensor

/// act(conv(x, weight) + bias + residual), one to three spatial dimensions.
///
/// - Inputs: x `[N, C, spatial…]` or `[N, spatial…, C]` by `layout`; weight `[M, C/groups, kernel…]` in either layout;
///   bias `[M]`, optional; residual of the output's shape, optional.
/// - Outputs: `[N, M, spatial…]` in the same layout.
/// - Source: ONNX Conv-11. Pads may be asymmetric; `auto_pad` is resolved by importers.
public struct Conv: ActivatedOperator {
  public static let schema = OperatorSchema(
    "Conv", inputs: ["x", .parameter("weight"), .optionalParameter("bias"), .optional("residual")],
    attributes: [
      AttributeField("strides", \Conv.strides), AttributeField("padBegins", \Conv.padBegins),
      AttributeField("padEnds", \Conv.padEnds), AttributeField("dilations", \Conv.dilations),
      AttributeField("groups", \Conv.groups), AttributeField("layout", \Conv.layout),
      AttributeField("activation", \Conv.activation),
    ])

  public var strides: [Int] = [1, 1]
  public var padBegins: [Int] = [0, 0]
  public var padEnds: [Int] = [0, 0]
  public var dilations: [Int] = [1, 1]
  public var groups = 1
  public var layout = Layout.channelsFirst
  public var activation = Activation.identity

  public init() {}

  public init(
    strides: [Int] = [1, 1], padBegins: [Int] = [0, 0], padEnds: [Int] = [0, 0], dilations: [Int] = [1, 1],
    groups: Int = 1, layout: Layout = .channelsFirst, activation: Activation = .identity
  ) {
    self.strides = strides
    self.padBegins = padBegins
    self.padEnds = padEnds
    self.dilations = dilations
    self.groups = groups
    self.layout = layout
    self.activation = activation
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let (x, weight) = (inputs[0], inputs[1])
    let spatialRank = x.rank - 2
    guard (1...3).contains(spatialRank) else { throw OperatorError("x is \(x), expected rank 3 to 5") }
    guard x.element.isFloat, weight.element == x.element else {
      throw OperatorError("x is \(x) and weight is \(weight), expected one floating-point type")
    }
    guard weight.rank == x.rank else { throw OperatorError("weight is \(weight), expected rank \(x.rank)") }
    for (name, list) in [
      ("strides", strides), ("padBegins", padBegins), ("padEnds", padEnds), ("dilations", dilations),
    ] where list.count != spatialRank {
      throw OperatorError("'\(name)' has \(list.count) values, expected \(spatialRank)")
    }
    guard (padBegins + padEnds).allSatisfy({ $0 >= 0 }) else {
      throw OperatorError("pads are \(padBegins) and \(padEnds), expected no negative value")
    }
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    let outputChannels = weight.shape[0]
    guard groups > 0, weight.shape[1].multipliedReportingOverflow(by: groups) == (channels, false),
      outputChannels % groups == 0
    else {
      throw OperatorError(
        "x has \(channels) channels and weight is \(weight) with \(groups) groups, expected weight [M, C/groups, …]"
      )
    }
    if let bias = inputs.optional(2), bias.shape != [outputChannels] {
      throw OperatorError("bias is \(bias), expected shape [\(outputChannels)]")
    }
    var spatial: [Int] = []
    for axis in 0..<spatialRank {
      let input = x.shape[layout.firstSpatialAxis + axis]
      guard
        let extent = windowOutputExtent(
          input: input, kernel: weight.shape[2 + axis], stride: strides[axis], dilation: dilations[axis],
          padBegin: padBegins[axis], padEnd: padEnds[axis])
      else {
        throw OperatorError(
          "the kernel \(weight.shape.dropFirst(2)) does not fit the padded input \(x) along spatial axis \(axis)"
        )
      }
      spatial.append(extent)
    }
    let batch = x.shape[0]
    let output = TensorType(
      x.element, layout.shape(batch: batch, channels: outputChannels, spatial: spatial))
    if let residual = inputs.optional(3), residual != output {
      throw OperatorError("residual is \(residual), expected \(output)")
    }
    return [output]
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    outputs[0].count * inputs[1].shape.dropFirst().reduce(1, *)
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (x, weight) = (inputs[0], inputs[1])
    let output = try inferOutputs(
      Inputs([
        x.type, TensorType(x.element, weight.shape), inputs.optional(2)?.type, inputs.optional(3)?.type,
      ]))[0]
    let geometry = ConvGeometry(self, input: x.shape, weight: weight.shape, output: output.shape)
    var result = geometry.accumulate(x.doubles(), weight.doubles())
    let bias = inputs.optional(2)?.doubles()
    let residual = inputs.optional(3)?.doubles()
    let channelStride = rowMajorStrides(output.shape)[layout.channelAxis(rank: output.rank)]
    for index in result.indices {
      var value = result[index]
      if let bias { value += bias[index / channelStride % weight.shape[0]] }
      if let residual { value += residual[index] }
      result[index] = activation(value)
    }
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}
