import SepalGraph
import SepalTensor

extension ExportRules {
  /// Resize-13, by scales where single precision holds them, by sizes otherwise. Positions that no coordinate mode of ONNX
  /// gives become a Gather along each axis; that works for the nearest element only.
  static func resize(_ op: Resize, _ node: NodeExport) throws(ONNXError) -> [ExportedValue?] {
    let shape = node.type(0).shape
    if op.mode == .cubic && op.fractionSteps != 0 {
      throw node.unsupported("interpolates at steps of 1/\(op.fractionSteps), for which ONNX has no Resize")
    }
    if op.coordinates == .halfPixelSymmetric && node.opset < 19 {
      throw node.unsupported("places samples by 'half_pixel_symmetric', which Resize knows from opset 19 on")
    }
    guard op.coordinates != .pixelCenter else {
      guard op.mode == .nearest else {
        throw node.unsupported("places samples by 'pixel_center', for which ONNX has no Resize")
      }
      return [try nearest(op, node)]
    }
    guard let extents = extents(op, shape, node) else {
      throw node.unsupported(
        "takes \(shape) to \(op.sizes) at scales \(op.scales), for which ONNX has no Resize")
    }
    return [resize(op, op.coordinates.rawValue, op.nearestMode, extents, node)]
  }

  private static func resize(
    _ op: Resize, _ coordinates: String, _ rounding: ResizeRounding,
    _ extents: (scales: ExportedValue?, sizes: ExportedValue?), _ node: NodeExport
  ) -> ExportedValue {
    var attributes: ExportedAttributes = [
      "mode": .string(op.mode.rawValue), "coordinate_transformation_mode": .string(coordinates),
    ]
    if rounding != .roundPreferFloor { attributes.append("nearest_mode", .string(rounding.rawValue)) }
    if op.mode == .cubic {
      attributes.append("cubic_coeff_a", .float(op.cubicCoefficient))
      attributes.append("exclude_outside", .int(op.excludeOutside ? 1 : 0))
    }
    return node.add("Resize", [node.input(0), nil, extents.scales, extents.sizes], attributes)
  }

  private static func extents(
    _ op: Resize, _ shape: [Int], _ node: NodeExport
  ) -> (scales: ExportedValue?, sizes: ExportedValue?)? {
    let scales = op.scales.map { Float($0) }
    let follow = zip(zip(shape, scales), op.sizes).allSatisfy {
      Int((Float($0.0) * $0.1).rounded(.down)) == $1
    }
    if follow && zip(op.scales, scales).allSatisfy({ $0 == Double($1) }) {
      return (node.add(constant: Tensor([scales.count], floats: scales), step: "scales"), nil)
    }
    let ratios = zip(op.sizes, shape).map { $1 > 0 ? Double($0) / Double($1) : 1 }
    guard ratios == op.scales else { return nil }
    return (nil, node.add(integers: op.sizes, step: "sizes"))
  }

  /// The nearest element at positions that ONNX does not place: half-pixel positions where those choose the same elements.
  private static func nearest(_ op: Resize, _ node: NodeExport) throws(ONNXError) -> ExportedValue {
    let shape = node.type(0).shape
    var other = op
    other.coordinates = .halfPixel
    other.nearestMode = .roundPreferCeil
    let asked = try chosen(op, shape, node)
    if try chosen(other, shape, node) == asked, let extents = extents(other, shape, node) {
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
