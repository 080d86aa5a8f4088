import SepalTensor

/// The mean of each window.
///
/// - Inputs: x `[N, C, spatial…]` or `[N, spatial…, C]` by `layout`, float, one to three spatial axes.
/// - Outputs: the same layout and element type. A window without any counted element gives 0.
/// - Source: ONNX AveragePool-19. `auto_pad` is resolved by importers.
public struct AveragePool: PoolOperator {
  public static let schema = OperatorSchema(
    "AveragePool", inputs: ["x"],
    attributes: [
      AttributeField("kernel", \AveragePool.kernel), AttributeField("strides", \AveragePool.strides),
      AttributeField("padBegins", \AveragePool.padBegins), AttributeField("padEnds", \AveragePool.padEnds),
      AttributeField("dilations", \AveragePool.dilations), AttributeField("ceilMode", \AveragePool.ceilMode),
      AttributeField("countIncludePad", \AveragePool.countIncludePad),
      AttributeField("layout", \AveragePool.layout),
    ])

  public var kernel: [Int] = [1, 1]
  public var strides: [Int] = [1, 1]
  public var padBegins: [Int] = [0, 0]
  public var padEnds: [Int] = [0, 0]
  public var dilations: [Int] = [1, 1]
  public var ceilMode = false
  /// Padding counts in the divisor; a window's part beyond the padded input (ceil mode) never does.
  public var countIncludePad = false
  public var layout = Layout.channelsFirst

  public init() {}

  public init(
    kernel: [Int], strides: [Int] = [1, 1], padBegins: [Int] = [0, 0], padEnds: [Int] = [0, 0],
    dilations: [Int] = [1, 1], ceilMode: Bool = false, countIncludePad: Bool = false,
    layout: Layout = .channelsFirst
  ) {
    self.kernel = kernel
    self.strides = strides
    self.padBegins = padBegins
    self.padEnds = padEnds
    self.dilations = dilations
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    try inputs[0].requireFloat("x")
    return [try pooledType(inputs[0])]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try pooledType(x.type)
    guard output.count > 0 else { return [Tensor(x.element, output.shape, doubles: [])] }
    let windows = PoolWindows(self, input: x.shape, output: output.shape)
    let values = x.doubles()
    var result = [Double](repeating: 0, count: output.count)
    windows.forEachTap { target, source in result[target] += values[source] }
    let counts = windows.tapCounts(padding: countIncludePad)
    let pixelStride = layout == .channelsFirst ? 1 : output.shape[output.rank - 1]
    for index in result.indices { result[index] /= max(1, counts[index / pixelStride % counts.count]) }
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}
