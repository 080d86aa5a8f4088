import SepalTensor

/// How `DepthToSpace` splits its channels.
public enum DepthToSpaceMode: String, AttributeConvertible, CaseIterable {
  /// Depth–column–row: input channel (row·b + column)·C' + c.
  case dcr
  /// Column–row–depth: input channel (c·b + row)·b + column, as PyTorch's pixel shuffle.
  case crd
}

/// Moves groups of b² channels into b×b spatial blocks, b = `blockSize`.
/// - Inputs: x `[N, b²·C', H, W]` or `[N, H, W, b²·C']` by `layout`, any type.
/// - Outputs: `[N, C', b·H, b·W]` in the same layout. Source: ONNX DepthToSpace-13.
public struct DepthToSpace: Operator {
  public static let schema = OperatorSchema(
    "DepthToSpace", inputs: ["x"],
    attributes: [
      AttributeField("blockSize", \DepthToSpace.blockSize), AttributeField("mode", \DepthToSpace.mode),
      AttributeField("layout", \DepthToSpace.layout),
    ])
  public var blockSize = 1
  public var mode = DepthToSpaceMode.dcr
  public var layout = Layout.channelsFirst

  public init() {}
  public init(blockSize: Int, mode: DepthToSpaceMode = .dcr, layout: Layout = .channelsFirst) {
    self.blockSize = blockSize
    self.mode = mode
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard x.rank == 4 else { throw OperatorError("x is \(x), expected rank 4") }
    let channels = x.shape[layout.channelAxis(rank: 4)]
    let (area, overflow) = blockSize.multipliedReportingOverflow(by: blockSize)
    guard blockSize > 0, !overflow, channels % area == 0 else {
      throw OperatorError(
        "'blockSize' is \(blockSize), whose square does not divide the \(channels) channels")
    }
    let first = layout.firstSpatialAxis
    let (height, tooHigh) = x.shape[first].multipliedReportingOverflow(by: blockSize)
    let (width, tooWide) = x.shape[first + 1].multipliedReportingOverflow(by: blockSize)
    guard !tooHigh, !tooWide else { throw OperatorError("the output is too large") }
    return [
      try checkedType(
        x.element, layout.shape(batch: x.shape[0], channels: channels / area, spatial: [height, width]))
    ]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    guard output.count > 0 else { return [x.reshaped(output.shape)] }
    let strides = rowMajorStrides(x.shape)
    let (channelAxis, first) = (layout.channelAxis(rank: 4), layout.firstSpatialAxis)
    let channels = output.shape[channelAxis]
    let channelStride = strides[channelAxis]
    let (c, row, column) =
      mode == .dcr
      ? (1, blockSize * channels, channels)
      : (blockSize * blockSize, blockSize, 1)
    let block = layout.shape(
      batch: x.shape[0], channels: channels,
      spatial: [x.shape[first], blockSize, x.shape[first + 1], blockSize])
    let blockStrides = layout.shape(
      batch: strides[0], channels: c * channelStride,
      spatial: [strides[first], row * channelStride, strides[first + 1], column * channelStride])
    return [x.region(block, strides: blockStrides).reshaped(output.shape)]
  }
}
