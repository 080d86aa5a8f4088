import SepalTensor

/// act(convᵀ(x, weight) + bias): every input element adds its multiple of the kernel to the output.
///
/// - Inputs: x `[N, C, spatial…]` or `[N, spatial…, C]` by `layout`, one to three spatial axes; weight
///   `[C, M/groups, kernel…]` in either layout; bias `[M]`, optional.
/// - Outputs: `[N, M, spatial…]` in the same layout; along each spatial axis
///   stride·(in − 1) + dilation·(kernel − 1) + 1 + outputPadding − padBegin − padEnd.
/// - Source: ONNX ConvTranspose-11. `auto_pad` and `output_shape` are resolved by importers.
public struct ConvTranspose: ActivatedOperator {
  public static let schema = OperatorSchema(
    "ConvTranspose", inputs: ["x", .parameter("weight"), .optionalParameter("bias")],
    attributes: [
      AttributeField("strides", \ConvTranspose.strides),
      AttributeField("padBegins", \ConvTranspose.padBegins),
      AttributeField("padEnds", \ConvTranspose.padEnds),
      AttributeField("dilations", \ConvTranspose.dilations),
      AttributeField("outputPadding", \ConvTranspose.outputPadding),
      AttributeField("groups", \ConvTranspose.groups), AttributeField("layout", \ConvTranspose.layout),
      AttributeField("activation", \ConvTranspose.activation),
    ])

  public var strides: [Int] = [1, 1]
  public var padBegins: [Int] = [0, 0]
  public var padEnds: [Int] = [0, 0]
  public var dilations: [Int] = [1, 1]
  /// Rows added to the end of each spatial axis; they hold what the kernel reaches there, or only the bias.
  public var outputPadding: [Int] = [0, 0]
  public var groups = 1
  public var layout = Layout.channelsFirst
  public var activation = Activation.identity

  public init() {}

  public init(
    strides: [Int] = [1, 1], padBegins: [Int] = [0, 0], padEnds: [Int] = [0, 0], dilations: [Int] = [1, 1],
    outputPadding: [Int] = [0, 0], groups: Int = 1, layout: Layout = .channelsFirst,
    activation: Activation = .identity
  ) {
    self.strides = strides
    self.padBegins = padBegins
    self.padEnds = padEnds
    self.dilations = dilations
    self.outputPadding = outputPadding
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
    try requireWindow("outputPadding", outputPadding, count: rank, atLeast: 0)
    let channels = x.shape[layout.channelAxis(rank: x.rank)]
    let (outputChannels, overflow) = weight.shape[1].multipliedReportingOverflow(by: groups)
    guard groups > 0, !overflow, weight.shape[0] == channels, channels.isMultiple(of: groups) else {
      throw OperatorError(
        "x has \(channels) channels and weight is \(weight) with \(groups) groups, expected weight [C, M/groups, …]"
      )
    }
    try inputs.optional(2)?.require(x.element, [outputChannels], "bias")
    var spatial: [Int] = []
    for axis in 0..<rank {
      let input = x.shape[layout.firstSpatialAxis + axis]
      guard let extent = outputExtent(axis, input: input, kernel: weight.shape[2 + axis]) else {
        throw OperatorError("x is \(x) and weight is \(weight): no output is left along spatial axis \(axis)")
      }
      spatial.append(extent)
    }
    let shape = layout.shape(batch: x.shape[0], channels: outputChannels, spatial: spatial)
    return [TensorType(x.element, shape)]
  }

  /// Nil when it is not positive or the operands are out of range.
  private func outputExtent(_ axis: Int, input: Int, kernel: Int) -> Int? {
    guard (1...largestWindowAttribute).contains(input), (1...largestWindowAttribute).contains(kernel) else {
      return nil
    }
    let (full, overflow) = (strides[axis] * (input - 1)).addingReportingOverflow(
      dilations[axis] * (kernel - 1) + 1 + outputPadding[axis])
    let extent = full - padBegins[axis] - padEnds[axis]
    return overflow || extent < 1 ? nil : extent
  }

  public func macs(_ inputs: Inputs<TensorType>, outputs: [TensorType]) -> Int {
    saturatingProduct(inputs[0].shape + inputs[1].shape.dropFirst())
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let (x, weight) = (inputs[0], inputs[1])
    let output = try inferOutputs(inputs.types)[0]
    let loops = ConvolutionLoops(self, input: x.shape, weight: weight.shape, output: output.shape)
    var result = loops.scatter(x.doubles(), weight.doubles(), bias: inputs.optional(2)?.doubles())
    activation.apply(to: &result)
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}
