import SepalTensor

/// Moves b×b spatial blocks into channels, b = `blockSize`: output channel (row·b + column)·C + c.
/// - Inputs: x `[N, C, b·H, b·W]` or `[N, b·H, b·W, C]` by `layout`, any type.
/// - Outputs: `[N, b²·C, H, W]` in the same layout. Source: ONNX SpaceToDepth-13.
public struct SpaceToDepth: Operator {
  public static let schema = OperatorSchema(
    "SpaceToDepth", inputs: ["x"],
    attributes: [
      AttributeField("blockSize", \SpaceToDepth.blockSize), AttributeField("layout", \SpaceToDepth.layout),
    ])
  public var blockSize = 1
  public var layout = Layout.channelsFirst

  public init() {}
  public init(blockSize: Int, layout: Layout = .channelsFirst) {
    self.blockSize = blockSize
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard x.rank == 4 else { throw OperatorError("x is \(x), expected rank 4") }
    let first = layout.firstSpatialAxis
    let (height, width) = (x.shape[first], x.shape[first + 1])
    guard blockSize > 0, height % blockSize == 0, width % blockSize == 0 else {
      throw OperatorError("'blockSize' is \(blockSize), which does not divide \(height)x\(width)")
    }
    let (area, overflow) = blockSize.multipliedReportingOverflow(by: blockSize)
    let (channels, tooMany) = x.shape[layout.channelAxis(rank: 4)].multipliedReportingOverflow(by: area)
    guard !overflow, !tooMany else { throw OperatorError("the output is too large") }
    return [
      try checkedType(
        x.element,
        layout.shape(
          batch: x.shape[0], channels: channels, spatial: [height / blockSize, width / blockSize]))
    ]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    guard output.count > 0 else { return [x.reshaped(output.shape)] }
    let strides = rowMajorStrides(x.shape)
    let (channelAxis, first) = (layout.channelAxis(rank: 4), layout.firstSpatialAxis)
    let depth = [blockSize, blockSize, x.shape[channelAxis]]
    let depthStrides = [strides[first], strides[first + 1], strides[channelAxis]]
    let space = Array(output.shape[first..<first + 2])
    let spaceStrides = [strides[first] * blockSize, strides[first + 1] * blockSize]
    let isFirst = layout == .channelsFirst
    return [
      x.region(
        [x.shape[0]] + (isFirst ? depth + space : space + depth),
        strides: [strides[0]] + (isFirst ? depthStrides + spaceStrides : spaceStrides + depthStrides)
      ).reshaped(output.shape)
    ]
  }
}
