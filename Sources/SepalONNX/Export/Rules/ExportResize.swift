import SepalGraph
import SepalTensor

extension ExportRules {
  /// Resize-13, by scales where single precision holds them, by sizes otherwise; from version 18 on also by one scale for
  /// several axes. What ONNX has no Resize for becomes a Gather along each axis; that works for the nearest element only.
  static func resize(_ op: Resize, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let shape = node.type(0).shape
    if op.mode == .cubic && op.fractionSteps != 0 {
      throw node.unsupported("interpolates at steps of 1/\(op.fractionSteps), for which ONNX has no Resize")
    }
    if op.coordinates == .halfPixelSymmetric && node.opset < 19 {
      throw node.unsupported("places samples by 'half_pixel_symmetric', which Resize knows from opset 19 on")
    }
    if op.mode == .nearest {
      if op.coordinates != .pixelCenter, let extents = try? extents(op, shape, node) {
        return [resize(op, op.coordinates.rawValue, op.nearestMode, extents, node)]
      }
      return [try nearest(op, node)]
    }
    guard op.coordinates != .pixelCenter else {
      throw node.unsupported("places samples by 'pixel_center', for which ONNX has no Resize")
    }
    guard let extents = try extents(op, shape, node) else {
      throw node.unsupported(
        "takes \(shape) to \(op.sizes) at scales \(op.scales), for which ONNX has no Resize")
    }
    return [resize(op, op.coordinates.rawValue, op.nearestMode, extents, node)]
  }

  /// How far: by scales, by sizes, or by one scale for some axes that is the least of what sizes ask for.
  private struct Extents {
    var scales: ExportedValue?
    var sizes: ExportedValue?
    var axesOfOneScale: [Int]?
  }

  private static func resize(
    _ op: Resize, _ coordinates: String, _ rounding: ResizeRounding, _ extents: Extents, _ node: NodeExport
  ) -> ExportedValue {
    var attributes: ExportedAttributes = [
      "mode": .string(op.mode.rawValue), "coordinate_transformation_mode": .string(coordinates),
    ]
    if rounding != .roundPreferFloor { attributes.append("nearest_mode", .string(rounding.rawValue)) }
    if op.mode == .cubic {
      attributes.append("cubic_coeff_a", .float(op.cubicCoefficient))
      attributes.append("exclude_outside", .int(op.excludeOutside ? 1 : 0))
    }
    if let axes = extents.axesOfOneScale {
      attributes.append("axes", .ints(axes))
      attributes.append("keep_aspect_ratio_policy", .string("not_larger"))
    }
    return node.add("Resize", [node.input(0), nil, extents.scales, extents.sizes], attributes)
  }

  private static func extents(_ op: Resize, _ shape: [Int], _ node: NodeExport) throws(ONNXError) -> Extents?
  {
    let scales = op.scales.map { Float($0) }
    let follow = zip(zip(shape, scales), op.sizes).allSatisfy {
      Int((Float($0.0) * $0.1).rounded(.down)) == $1
    }
    if follow && zip(op.scales, scales).allSatisfy({ $0 == Double($1) }) {
      return Extents(scales: node.add(constant: Tensor([scales.count], floats: scales), step: "scales"))
    }
    let ratios = zip(op.sizes, shape).map { $1 > 0 ? Double($0) / Double($1) : 1 }
    if ratios == op.scales { return Extents(sizes: node.add(integers: op.sizes, step: "sizes")) }
    return try oneScale(op, shape, ratios, node)
  }

  /// Axes that share the scale of one of them, their sizes rounded.
  private static func oneScale(
    _ op: Resize, _ shape: [Int], _ ratios: [Double], _ node: NodeExport
  ) throws(ONNXError) -> Extents? {
    let axes = shape.indices.filter { op.scales[$0] != 1 || op.sizes[$0] != shape[$0] }
    guard let scale = axes.first.map({ op.scales[$0] }), axes.contains(where: { ratios[$0] == scale }),
      axes.allSatisfy({ axis in
        let size = (scale * Double(shape[axis])).rounded(.toNearestOrAwayFromZero)
        return op.scales[axis] == scale && size == Double(op.sizes[axis])
      })
    else { return nil }
    guard node.opset >= 18 else {
      throw node.unsupported("keeps an aspect ratio by rounded sizes, which Resize does from opset 18 on")
    }
    // Whoever is rounded down asks for one more, lest it have the least scale.
    let sizes = axes.map { ratios[$0] >= scale ? op.sizes[$0] : op.sizes[$0] + 1 }
    return Extents(sizes: node.add(integers: sizes, step: "sizes"), axesOfOneScale: axes)
  }

  /// The nearest element at positions that ONNX does not place: half-pixel positions where those choose the same elements.
  private static func nearest(_ op: Resize, _ node: NodeExport) throws(ONNXError) -> ExportedValue {
    let shape = node.type(0).shape
    var other = op
    other.coordinates = .halfPixel
    other.nearestMode = .roundPreferCeil
    let asked = try chosen(op, shape, node)
    if try chosen(other, shape, node) == asked, let extents = try? extents(other, shape, node) {
      return resize(other, other.coordinates.rawValue, other.nearestMode, extents, node)
    }
    var y = node.input(0)
    let axes = asked.indices.filter { asked[$0] != Array(0..<shape[$0]) }
    for axis in axes {
      let indices = node.add(integers: asked[axis], step: "indices\(axis)")
      y = node.add(
        "Gather", [y, indices], ["axis": .int(axis)], step: axis == axes.last ? nil : "axis\(axis)")
    }
    return y
  }

  /// Which elements along each axis `op` takes.
  private static func chosen(
    _ op: Resize, _ shape: [Int], _ node: NodeExport
  ) throws(ONNXError) -> [[Int]] {
    do throws(OperatorError) {
      var result: [[Int]] = []
      for axis in shape.indices {
        var alone = op
        (alone.sizes, alone.scales) = ([op.sizes[axis]], [op.scales[axis]])
        let positions = Tensor([shape[axis]], int64s: (0..<shape[axis]).map { Int64($0) })
        let taken = try alone.evaluate(Inputs([positions]))[0]
        result.append((taken.integers() ?? []).map { Int($0) })
      }
      return result
    } catch {
      throw node.unsupported(error.message)
    }
  }
}
