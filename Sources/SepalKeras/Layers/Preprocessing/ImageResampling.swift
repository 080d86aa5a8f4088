import SepalGraph
import SepalTensor

/// How an image is resampled: the methods of `tf.image.resize`, which Keras passes through.
enum Interpolation: String, CaseIterable {
  case nearest, bilinear, bicubic, area, lanczos3, lanczos5, gaussian, mitchellcubic
}

extension LayerContext {
  func interpolation(default value: String) throws(KerasError) -> Interpolation {
    let text = try string("interpolation", default: value).lowercased()
    guard let interpolation = Interpolation(rawValue: text) else {
      let known = Interpolation.allCases.map(\.rawValue).joined(separator: ", ")
      throw unsupported("interpolation", "is '\(text.printable())', expected one of \(known)")
    }
    return interpolation
  }

  /// Images `[N, H, W, C]`, or `[N, C, H, W]`, in another size.
  ///
  /// - Parameter step: of the last operator; nil for the layer's own name.
  func resizeImages(
    _ value: ValueID, to size: (height: Int, width: Int), _ interpolation: Interpolation,
    antialias: Bool = false,
    layout: Layout, step: String? = nil
  ) throws(KerasError) -> ValueID {
    let shape = shape(of: value)
    let first = layout.firstSpatialAxis
    let axes = [(first, size.height), (first + 1, size.width)]
    guard axes.contains(where: { shape[$0.0] != $0.1 }) else { return value }
    guard !shape.contains(0) else {
      throw KerasError(.invalid, "is called with \(type(of: value)), which has no pixels")
    }
    var sizes = shape
    for (axis, extent) in axes { sizes[axis] = extent }
    let scales = zip(sizes, shape).map { Double($0) / Double($1) }
    switch interpolation {
    case .nearest:
      let op = Resize(
        sizes: sizes, scales: scales, mode: .nearest, coordinates: .pixelCenter, nearestMode: .floor)
      return try add(op, [value], step: step)
    case .bilinear where !antialias:
      return try add(Resize(sizes: sizes, scales: scales, mode: .linear), [value], step: step)
    case .bicubic where !antialias:
      let op = Resize(
        sizes: sizes, scales: scales, mode: .cubic, cubicCoefficient: -0.5, excludeOutside: true,
        fractionSteps: 1024)
      return try add(op, [value], step: step)
    default:
      var matrices: [Tensor] = []
      for (axis, extent) in axes {
        let (count, overflow) = extent.multipliedReportingOverflow(by: shape[axis])
        guard !overflow, count <= maximumMatrixCount else {
          throw KerasError(
            .limit, "resizes \(shape[axis]) pixels to \(extent) by \(interpolation), which are too many")
        }
        let weights = ResamplingWeights(interpolation, from: shape[axis], to: extent, antialias: antialias)
        matrices.append(weights.matrix)
      }
      return try resample(value, matrices, layout: layout, step: step)
    }
  }

  /// Multiplies rows and columns with a matrix each, `[out, in]`.
  private func resample(
    _ value: ValueID, _ matrices: [Tensor], layout: Layout, step: String?
  ) throws(KerasError) -> ValueID {
    let shape = shape(of: value)
    let prefix = step.map { "\($0)/" } ?? ""
    let rows = add(constant: matrices[0], step: prefix + "row_weights")
    let (height, width) = (matrices[0].shape[0], matrices[1].shape[0])
    if layout == .channelsFirst {
      let planes = try reshape(value, to: [shape[0] * shape[1], shape[2], shape[3]], step: prefix + "planes")
      let resized = try add(MatMul(), [rows, planes], step: prefix + "rows")
      let columns = add(constant: try matrices[1].transposed([1, 0]), step: prefix + "column_weights")
      let result = try add(MatMul(), [resized, columns], step: prefix + "columns")
      return try add(Reshape(shape: [shape[0], shape[1], height, width]), [result], step: step)
    }
    let lines = try reshape(value, to: [shape[0], shape[1], shape[2] * shape[3]], step: prefix + "lines")
    let resized = try add(MatMul(), [rows, lines], step: prefix + "rows")
    let pixels = try reshape(resized, to: [shape[0] * height, shape[2], shape[3]], step: prefix + "pixels")
    let columns = add(constant: matrices[1], step: prefix + "column_weights")
    let result = try add(MatMul(), [columns, pixels], step: prefix + "columns")
    return try add(Reshape(shape: [shape[0], height, width, shape[3]]), [result], step: step)
  }
}

/// More weights along one axis than the resizing of any image needs.
private let maximumMatrixCount = 1 << 24
