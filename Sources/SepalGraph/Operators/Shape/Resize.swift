import SepalTensor

/// Resamples x to `sizes`. Interpolation runs along each axis in turn, which for linear and cubic is the same as over
/// all of them at once; axes of scale 1 are copied.
///
/// - Inputs: x, any type for `nearest`, floating point otherwise. Outputs: same type, shape `sizes`.
/// - Source: ONNX Resize-19 without antialiasing and cropping; Upsample-9; TensorFlow's `image.resize` without
///   antialiasing: nearest with `pixelCenter` and `floor`, linear with `halfPixel`, cubic with `halfPixel`, coefficient −½,
///   `excludeOutside` and 1024 `fractionSteps`. `sizes` and `scales` name every axis. Importers
///   derive what the model leaves out: sizes = ⌊extent·scale⌋ in single precision, scale = size/extent. `scales` place the
///   samples.
public struct Resize: Operator {
  public static let schema = OperatorSchema(
    "Resize", inputs: ["x"],
    attributes: [
      AttributeField("sizes", \Resize.sizes), AttributeField("scales", \Resize.scales),
      AttributeField("mode", \Resize.mode), AttributeField("coordinates", \Resize.coordinates),
      AttributeField("nearestMode", \Resize.nearestMode),
      AttributeField("cubicCoefficient", \Resize.cubicCoefficient),
      AttributeField("excludeOutside", \Resize.excludeOutside),
      AttributeField("fractionSteps", \Resize.fractionSteps),
    ])
  public var sizes: [Int] = []
  public var scales: [Double] = []
  public var mode = ResizeMode.nearest
  public var coordinates = ResizeCoordinates.halfPixel
  public var nearestMode = ResizeRounding.roundPreferFloor
  public var cubicCoefficient = -0.75
  /// Cubic only: taps outside the tensor weigh nothing and the rest is rescaled, instead of repeating the border.
  public var excludeOutside = false
  /// Cubic only: weights are those of the nearest of so many positions between two elements, as in TensorFlow, which
  /// keeps them in a table of 1024; 0 takes the position as it is.
  public var fractionSteps = 0

  public init() {}
  public init(
    sizes: [Int], scales: [Double], mode: ResizeMode = .nearest, coordinates: ResizeCoordinates = .halfPixel,
    nearestMode: ResizeRounding = .roundPreferFloor, cubicCoefficient: Double = -0.75,
    excludeOutside: Bool = false, fractionSteps: Int = 0
  ) {
    self.sizes = sizes
    self.scales = scales
    self.mode = mode
    self.coordinates = coordinates
    self.nearestMode = nearestMode
    self.cubicCoefficient = cubicCoefficient
    self.excludeOutside = excludeOutside
    self.fractionSteps = fractionSteps
  }

  public func inferOutputs(_ inputs: Inputs<TensorType>) throws(OperatorError) -> [TensorType] {
    let x = inputs[0]
    guard mode == .nearest || x.element.isFloat else {
      throw OperatorError("x is \(x), expected floating point for mode \(mode.rawValue)")
    }
    guard sizes.count == x.rank, scales.count == x.rank else {
      throw OperatorError(
        "'sizes' has \(sizes.count) and 'scales' \(scales.count) values, expected \(x.rank)")
    }
    guard cubicCoefficient.isFinite else {
      throw OperatorError("'cubicCoefficient' is \(cubicCoefficient), expected a finite number")
    }
    guard (0...1 << 20).contains(fractionSteps) else {
      throw OperatorError("'fractionSteps' is \(fractionSteps), expected 0 to \(1 << 20)")
    }
    let output = try checkedType(x.element, sizes)
    for axis in 0..<x.rank {
      let (extent, size, scale) = (x.shape[axis], sizes[axis], scales[axis])
      guard scale > 0, scale.isFinite, Float(scale) > 0, Float(scale).isFinite else {
        throw OperatorError("'scales' is \(scales), expected positive numbers")
      }
      guard extent > 0 || size == 0 else {
        throw OperatorError("axis \(axis) of \(x) is empty and cannot be resized to \(size)")
      }
      // A size is the scaled extent, rounded one way or another.
      let scaled = Double(extent) * scale
      guard abs(Double(size) - scaled) <= 1 + 1e-5 * scaled else {
        throw OperatorError(
          "axis \(axis) of \(x) has size \(size), which its scale \(scale) does not explain")
      }
    }
    return [output]
  }

  public func evaluate(_ inputs: Inputs<Tensor>) throws(OperatorError) -> [Tensor] {
    let x = inputs[0]
    let output = try inferOutputs(inputs.types)[0]
    guard output.count > 0 else { return [Tensor(output) { _ in }] }
    let taps = x.shape.indices.map { ResizeTaps(self, axis: $0, extent: x.shape[$0]) }
    if mode == .nearest {
      var result = x
      for (axis, taps) in taps.enumerated() {
        if let taps { result = result.selecting(taps.indices, along: axis) }
      }
      return [result]
    }
    var (values, shape) = (x.doubles(), x.shape)
    for (axis, taps) in taps.enumerated() {
      guard let taps else { continue }
      values = interpolate(values, shape, axis, taps)
      shape[axis] = sizes[axis]
    }
    return [Tensor(output.element, output.shape, doubles: values)]
  }

  /// Weighted sums of slices along one axis.
  private func interpolate(_ values: [Double], _ shape: [Int], _ axis: Int, _ taps: ResizeTaps) -> [Double] {
    let outer = shape[..<axis].reduce(1, *)
    let run = shape[(axis + 1)...].reduce(1, *)
    let (extent, size) = (shape[axis], sizes[axis])
    var result = [Double](repeating: 0, count: outer * size * run)
    result.withUnsafeMutableBufferPointer { result in
      values.withUnsafeBufferPointer { values in
        for row in 0..<outer * size {
          let (block, index) = (row / size, row % size)
          for tap in index * taps.width..<(index + 1) * taps.width where taps.weights[tap] != 0 {
            let (source, weight) = ((block * extent + taps.indices[tap]) * run, taps.weights[tap])
            for offset in 0..<run { result[row * run + offset] += weight * values[source + offset] }
          }
        }
      }
    }
    return result
  }
}
