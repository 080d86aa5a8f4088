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
    let rank = try spatialRank(of: x)
    try requireConvolutionOperands(x, weight)
    try requireWindow("strides", strides, count: rank, atLeast: 1)
    try requireWindow("padBegins", padBegins, count: rank, atLeast: 0)
    try requireWindow("padEnds", padEnds, count: rank, atLeast: 0)
    try requireWindow("dilations", dilations, count: rank, atLeast: 1)
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    let outputChannels = weight.shape[0]
    guard groups > 0, weight.shape[1].multipliedReportingOverflow(by: groups) == (channels, false),
      outputChannels.isMultiple(of: groups)
    else {
      throw OperatorError(
        "x has \(channels) channels and weight is \(weight) with \(groups) groups, expected weight [M, C/groups, …]"
      )
    }
    try inputs.optional(2)?.require(x.element, [outputChannels], "bias")
    var spatial: [Int] = []
    for axis in 0..<rank {
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
    let shape = layout.shape(batch: x.shape[0], channels: outputChannels, spatial: spatial)
    let output = TensorType(x.element, shape)
    try inputs.optional(3)?.require(output.element, output.shape, "residual")
    return [output]
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    saturatingProduct(outputs[0].shape + inputs[1].shape.dropFirst())
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (x, weight) = (inputs[0], inputs[1])
    let output = try inferOutputs(inputs.types)[0]
    let loops = ConvolutionLoops(self, input: x.shape, weight: weight.shape, output: output.shape)
    var result = loops.gather(x.doubles(), weight.doubles(), bias: inputs.optional(2)?.doubles())
    if let residual = inputs.optional(3)?.doubles() {
      for index in result.indices { result[index] += residual[index] }
    }
    activation.apply(to: &result)
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}

/// What `Conv` and `ConvTranspose` ask of x and weight alike.
func requireConvolutionOperands(_ x: TensorType, _ weight: TensorType) throws(OperatorError) {
  guard x.element.isFloat, weight.element == x.element else {
    throw OperatorError("x is \(x) and weight is \(weight), expected one floating-point type")
  }
  try weight.requireRank(x.rank...x.rank, "weight")
}
