import SepalGraph
import SepalTensor

extension ImportRules {
  /// Upsample-7 with scales as an attribute, -9 with an operand.
  static func upsample(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    let operand = try context.constantInput(1, "scales")?.doubles()
    let attribute = try context.node.floats("scales")?.map { Double($0) }
    let scales = try context.node.required("scales", operand ?? attribute)
    return [try asymmetric(context, scales)]
  }

  /// Resize-10, -11, -13, -18, -19. The region of interest only matters to a coordinate mode that is not supported.
  static func resize(_ context: NodeContext) throws(ONNXError) -> [ValueID?] {
    if context.opset < 11 {
      let scales = try context.constantInput(1, "scales")?.doubles()
      return [try asymmetric(context, try context.required(scales, input: 1, "scales"))]
    }
    let x = try context.input(0)
    var op = try extents(context, context.type(of: x).shape)
    op.mode = try interpolation(context)
    op.nearestMode = try context.choice(
      "nearest_mode", default: "round_prefer_floor",
      [
        "round_prefer_floor": ResizeRounding.roundPreferFloor, "round_prefer_ceil": .roundPreferCeil,
        "floor": .floor, "ceil": .ceil,
      ])
    op.cubicCoefficient = try context.number("cubic_coeff_a") ?? op.cubicCoefficient
    op.excludeOutside = try context.node.flag("exclude_outside", default: false)
    try setCoordinates(context, &op)
    if try context.node.flag("antialias", default: false), op.mode != .nearest,
      op.scales.contains(where: { $0 < 1 })
    {
      throw context.node.error(
        .unsupported, "is 1, which is not supported for downsampling", attribute: "antialias")
    }
    return [try context.add(op, [x])]
  }

  /// The fixed behaviour before version 11. Nearest takes the element before when it enlarges an axis and the one
  /// after when it shrinks it.
  private static func asymmetric(_ context: NodeContext, _ scales: [Double]) throws(ONNXError) -> ValueID {
    let x = try context.input(0)
    var op = try scaled(context, context.type(of: x).shape, scales)
    op.mode = try interpolation(context)
    op.coordinates = .asymmetric
    op.nearestMode = .floor
    if op.mode == .nearest, scales.contains(where: { $0 < 1 }) {
      guard !scales.contains(where: { $0 > 1 }) else {
        throw context.node.error(.unsupported, "shrinks one axis and enlarges another", attribute: "scales")
      }
      op.nearestMode = .ceil
    }
    return try context.add(op, [x])
  }

  private static func interpolation(_ context: NodeContext) throws(ONNXError) -> ResizeMode {
    try context.choice(
      "mode", default: "nearest",
      ["nearest": ResizeMode.nearest, "linear": .linear, "bilinear": .linear, "cubic": .cubic])
  }

  private static func setCoordinates(_ context: NodeContext, _ op: inout Resize) throws(ONNXError) {
    let name = "coordinate_transformation_mode"
    let text = try context.node.string(name, default: "half_pixel")
    if text == "tf_half_pixel_for_nn", op.mode == .nearest, op.nearestMode == .floor {
      // ⌊(i + ½)/scale⌋ is the half-pixel position with ½ added, rounded down.
      op.coordinates = .halfPixel
      op.nearestMode = .roundPreferCeil
      return
    }
    guard let coordinates = ResizeCoordinates(rawValue: text), coordinates != .pixelCenter else {
      throw context.node.error(.unsupported, "is '\(text)', which is not supported", attribute: name)
    }
    op.coordinates = coordinates
  }

  /// Sizes and scales of every axis, from scales or from sizes, of all axes or some.
  private static func extents(_ context: NodeContext, _ shape: [Int]) throws(ONNXError) -> Resize {
    var axes = Array(shape.indices)
    if let given = try context.node.ints("axes") { axes = try context.axes(given, rank: shape.count) }
    // An empty operand is an absent one.
    if let scales = try context.constantInput(2, "scales")?.doubles(), !scales.isEmpty {
      guard scales.count == axes.count else {
        throw context.node.error(
          .invalid, "has \(scales.count) values, expected \(axes.count)", attribute: "scales")
      }
      var all = [Double](repeating: 1, count: shape.count)
      for (axis, scale) in zip(axes, scales) { all[axis] = scale }
      return try scaled(context, shape, all)
    }
    let sizes = try context.required(try context.constantInts(3, "sizes"), input: 3, "sizes")
    guard sizes.count == axes.count, sizes.allSatisfy({ (0...largestExtent).contains($0) }) else {
      throw context.node.error(.invalid, "is \(sizes), expected \(axes.count) sizes", attribute: "sizes")
    }
    var op = Resize(sizes: shape, scales: [Double](repeating: 1, count: shape.count))
    for (axis, size) in zip(axes, sizes) {
      op.sizes[axis] = size
      op.scales[axis] = shape[axis] > 0 ? Double(size) / Double(shape[axis]) : 1
    }
    try keepAspectRatio(context, &op, axes, shape)
    return op
  }

  /// Under "not_larger" and "not_smaller" all axes take the same scale, the least or the greatest that is asked for.
  private static func keepAspectRatio(
    _ context: NodeContext, _ op: inout Resize, _ axes: [Int], _ shape: [Int]
  ) throws(ONNXError) {
    let asked = axes.map { op.scales[$0] }
    let common = try context.choice(
      "keep_aspect_ratio_policy", default: "stretch",
      ["stretch": Double?.none, "not_larger": asked.min(), "not_smaller": asked.max()])
    guard let common else { return }
    for axis in axes {
      op.scales[axis] = common
      op.sizes[axis] = Int((common * Double(shape[axis])).rounded(.toNearestOrAwayFromZero))
    }
  }

  /// Sizes are rounded down in single precision, as ONNX Runtime does.
  private static func scaled(
    _ context: NodeContext, _ shape: [Int], _ scales: [Double]
  ) throws(ONNXError) -> Resize {
    guard scales.count == shape.count else {
      throw context.node.error(
        .invalid, "has \(scales.count) values, expected \(shape.count)", attribute: "scales")
    }
    var sizes: [Int] = []
    for (extent, scale) in zip(shape, scales) {
      let size = (Float(extent) * Float(scale)).rounded(.down)
      guard scale > 0, size <= Float(largestExtent / 2) else {
        throw context.node.error(
          .invalid, "is \(scales), expected reasonable positive numbers", attribute: "scales")
      }
      sizes.append(Int(size))
    }
    return Resize(sizes: sizes, scales: scales)
  }
}
