import SepalGraph

extension LayerRules {
  /// UpSampling1D to 3D by whole factors: repeating elements, or in two dimensions any interpolation.
  static func upSampling(rank: Int) -> Rule {
    { context throws(KerasError) in
      let layout = try context.layout(rank: rank)
      let input = try context.input(rank: rank + 2)
      let shape = context.shape(of: input)
      // Keras 1 called it `length` in one dimension.
      let factors = try context.sizes(context.spelling("size", "length"), count: rank, default: 2)
      var sizes = shape
      var scales = [Double](repeating: 1, count: rank + 2)
      for (index, factor) in factors.enumerated() {
        let axis = layout.firstSpatialAxis + index
        sizes[axis] = try context.product(shape[axis], factor, "size")
        scales[axis] = Double(factor)
      }
      let interpolation = try context.interpolation(default: "nearest")
      if interpolation == .nearest {
        let op = Resize(
          sizes: sizes, scales: scales, mode: .nearest, coordinates: .asymmetric, nearestMode: .floor)
        return [try context.add(op, [input])]
      }
      guard rank == 2 else {
        throw context.unsupported("interpolation", "is not nearest in \(rank) dimensions")
      }
      let spatial = (sizes[layout.firstSpatialAxis], sizes[layout.firstSpatialAxis + 1])
      return [try context.resizeImages(input, to: spatial, interpolation, layout: layout)]
    }
  }
}
