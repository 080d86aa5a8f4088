/// How `Resize` combines source elements.
public enum ResizeMode: String, AttributeConvertible, CaseIterable {
  case nearest, linear, cubic
}

/// Where along the source axis an output element lies. Raw values are ONNX's names, but for `pixelCenter`.
public enum ResizeCoordinates: String, AttributeConvertible, CaseIterable {
  /// (i + ½)/scale − ½
  case halfPixel = "half_pixel"
  /// `halfPixel` about the common centre of both axes, for sizes that are not a multiple of the scale
  case halfPixelSymmetric = "half_pixel_symmetric"
  /// `halfPixel`, but 0 when the output has one element
  case pytorchHalfPixel = "pytorch_half_pixel"
  /// i·(extent − 1)/(size − 1), 0 when the output has one element
  case alignCorners = "align_corners"
  /// i/scale
  case asymmetric
  /// (i + ½)·extent/size, where the source's element number i reaches from i to i + 1: its floor is the element under the
  /// centre. TensorFlow's nearest neighbour, multiplied in its order.
  case pixelCenter = "pixel_center"

  /// The source position of output element `index`, in single precision like ONNX Runtime, so that ties of
  /// `ResizeMode.nearest` fall the same way.
  func position(_ index: Int, extent: Int, size: Int, scale: Float) -> Float {
    let i = Float(index)
    switch self {
    case .halfPixel: return (i + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let adjustment = Float(size) / (scale * Float(extent))
      let offset = Float(extent) / 2 * (1 - adjustment)
      return offset + (i + 0.5) / scale - 0.5
    case .pytorchHalfPixel: return size > 1 ? (i + 0.5) / scale - 0.5 : 0
    case .alignCorners: return size > 1 ? i * Float(extent - 1) / Float(size - 1) : 0
    case .asymmetric: return i / scale
    case .pixelCenter: return (i + 0.5) * (Float(extent) / Float(size))
    }
  }
}

/// Which element `ResizeMode.nearest` takes for a position between two. Raw values are ONNX's names.
public enum ResizeRounding: String, AttributeConvertible, CaseIterable {
  case roundPreferFloor = "round_prefer_floor"
  case roundPreferCeil = "round_prefer_ceil"
  case floor
  case ceil

  /// Below zero, where ties do not fall as named, every result stands for the first element.
  func round(_ position: Float) -> Float {
    switch self {
    case .roundPreferFloor: (position - 0.5).rounded(.up)
    case .roundPreferCeil: position.rounded(.toNearestOrAwayFromZero)
    case .floor: position.rounded(.down)
    case .ceil: position.rounded(.up)
    }
  }
}

/// The source elements and weights of each output element along one axis: `width` consecutive entries per output.
package struct ResizeTaps: Sendable {
  package let width: Int
  package private(set) var indices: [Int] = []
  package private(set) var weights: [Double] = []

  /// The taps of `op` along `axis` for a source extent ≥ 1, or nil when the axis is copied unchanged.
  package init?(_ op: Resize, axis: Int, extent: Int) {
    let (size, scale) = (op.sizes[axis], Float(op.scales[axis]))
    if size == extent && scale == 1 { return nil }
    width = op.mode == .nearest ? 1 : op.mode == .linear ? 2 : 4
    indices.reserveCapacity(size * width)
    weights.reserveCapacity(size * width)
    for index in 0..<size {
      var position = op.coordinates.position(index, extent: extent, size: size, scale: scale)
      // Four elements beyond either end all taps read the border already.
      position = position.isNaN ? 0 : min(max(position, -4), Float(extent) + 4)
      switch op.mode {
      case .nearest: append(Int(op.nearestMode.round(position)), 1, extent: extent)
      case .linear: appendLinear(position, extent: extent)
      case .cubic: appendCubic(position, extent: extent, op)
      }
    }
  }

  /// Adds one tap; outside the axis its border element stands in.
  private mutating func append(_ index: Int, _ weight: Double, extent: Int) {
    indices.append(min(max(index, 0), extent - 1))
    weights.append(weight)
  }

  private mutating func appendLinear(_ position: Float, extent: Int) {
    let inside = min(max(position, 0), Float(extent - 1))
    let low = inside.rounded(.down)
    let fraction = Double(inside - low)
    append(Int(low), 1 - fraction, extent: extent)
    append(Int(low) + 1, fraction, extent: extent)
  }

  private mutating func appendCubic(_ position: Float, extent: Int, _ op: Resize) {
    let low = position.rounded(.down)
    let first = Int(low) - 1
    var fraction = Double(position - low)
    if op.fractionSteps > 0 {
      let steps = Double(op.fractionSteps)
      fraction = (fraction * steps).rounded(.toNearestOrEven) / steps
    }
    var kernel = cubicWeights(fraction, coefficient: op.cubicCoefficient)
    if op.excludeOutside {
      for tap in 0..<4 where !(0..<extent).contains(first + tap) { kernel[tap] = 0 }
      let total = kernel.reduce(0, +)
      // Nothing inside has weight: the border element alone remains.
      kernel = total == 0 ? [0, 1, 0, 0] : kernel.map { $0 / total }
    }
    for tap in 0..<4 { append(first + tap, kernel[tap], extent: extent) }
  }
}

/// Keys' cubic convolution kernel at the four elements around a position `fraction` behind the second.
private func cubicWeights(_ fraction: Double, coefficient a: Double) -> [Double] {
  func near(_ distance: Double) -> Double {
    ((a + 2) * distance - (a + 3)) * distance * distance + 1
  }
  func far(_ distance: Double) -> Double {
    ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
  }
  return [far(1 + fraction), near(fraction), near(1 - fraction), far(2 - fraction)]
}
