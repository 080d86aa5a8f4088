import SepalTensor

/// The largest element of each window; padding is −∞, NaN anywhere in the window gives NaN.
///
/// - Inputs: x `[N, C, spatial…]` or `[N, spatial…, C]` by `layout`, float or integer, one to three spatial axes.
/// - Outputs: the same layout and element type.
/// - Source: ONNX MaxPool-12, first output. `auto_pad` is resolved by importers.
public struct MaxPool: PoolOperator {
  public static let schema = OperatorSchema(
    "MaxPool", inputs: ["x"],
    attributes: [
      AttributeField("kernel", \MaxPool.kernel), AttributeField("strides", \MaxPool.strides),
      AttributeField("padBegins", \MaxPool.padBegins), AttributeField("padEnds", \MaxPool.padEnds),
      AttributeField("dilations", \MaxPool.dilations), AttributeField("ceilMode", \MaxPool.ceilMode),
      AttributeField("layout", \MaxPool.layout),
    ])

  public var kernel: [Int] = [1, 1]
  public var strides: [Int] = [1, 1]
  public var padBegins: [Int] = [0, 0]
  public var padEnds: [Int] = [0, 0]
  public var dilations: [Int] = [1, 1]
  public var ceilMode = false
  public var layout = Layout.channelsFirst

  public init() {}

  public init(
    kernel: [Int], strides: [Int] = [1, 1], padBegins: [Int] = [0, 0], padEnds: [Int] = [0, 0],
    dilations: [Int] = [1, 1], ceilMode: Bool = false, layout: Layout = .channelsFirst
  ) {
    self.kernel = kernel
    self.strides = strides
    self.padBegins = padBegins
    self.padEnds = padEnds
    self.dilations = dilations
    self.ceilMode = ceilMode
    self.layout = layout
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    guard inputs[0].element != .bool else { throw OperatorError("does not take bool") }
    return [try pooledType(inputs[0])]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try pooledType(x.type)
    let windows = PoolWindows(self, input: x.shape, output: output.shape)
    if let values = x.integers() {
      var result = [Int64](repeating: .min, count: output.count)
      windows.forEachTap { target, source in result[target] = max(result[target], values[source]) }
      return [Tensor(x.element, output.shape, integers: result)]
    }
    let values = x.doubles()
    var result = [Double](repeating: -.infinity, count: output.count)
    windows.forEachTap { target, source in
      let value = values[source]
      if value > result[target] || value.isNaN { result[target] = value }
    }
    return [Tensor(x.element, output.shape, doubles: result)]
  }
}
