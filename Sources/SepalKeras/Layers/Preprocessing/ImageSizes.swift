import SepalGraph
import SepalTensor

extension LayerRules {
  /// Another size for images, be it by cropping or padding to its aspect ratio first.
  static func resizing(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let layout = try context.layout()
    var images = try context.imageInput()
    let size = try context.imageSize()
    let interpolation = try context.interpolation(default: "bilinear")
    let crops = try context.bool("crop_to_aspect_ratio", default: false)
    let pads = try context.bool("pad_to_aspect_ratio", default: false)
    guard !crops || !pads else {
      throw context.invalid("pad_to_aspect_ratio", "and 'crop_to_aspect_ratio' are both true")
    }
    if crops { images = try context.cropToAspect(images, of: size, layout: layout, isSingle: true) }
    if pads { images = try context.padToAspect(images, of: size, layout: layout) }
    return [
      try context.resizeImages(
        images, to: size, interpolation, antialias: try context.bool("antialias", default: false),
        layout: layout)
    ]
  }

  /// The middle of images, or, where they are too small, the largest part of the aspect ratio, enlarged.
  static func centerCrop(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let layout = try context.layout()
    let images = try context.imageInput()
    let size = try context.imageSize()
    let (height, width) = context.imageExtents(images, layout)
    if height >= size.height, width >= size.width {
      let starts = [(height - size.height) / 2, (width - size.width) / 2]
      return [try context.crop(images, starts, size, layout: layout)]
    }
    return [try context.resizeToFit(images, size, layout: layout)]
  }

  /// RandomCrop does not crop at random at inference: up to Keras 2 it resizes, Keras 3 changed its mind.
  static func randomCrop(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let layout = try context.layout()
    let images = try context.imageInput()
    let size = try context.imageSize()
    guard context.imageExtents(images, layout) != (size.height, size.width) else { return [images] }
    guard context.version != .three else {
      throw KerasError(
        .unsupported,
        "crops \(context.type(of: images)) to \(size.height)x\(size.width), which releases of Keras 3 do differently "
          + "at inference")
    }
    return [try context.resizeToFit(images, size, layout: layout)]
  }

  /// Augmentation: the images themselves at inference.
  static func augmentation(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    context.ignoreTraining()
    return [try context.floatInput()]
  }
}

extension LayerContext {
  fileprivate typealias ImageSize = (height: Int, width: Int)

  /// Keras 3 writes `training=True` into every call of an image layer: a default that models overrule at inference.
  fileprivate func ignoreTraining() {
    if version == .three { _ = operands.keyword(["training"]) }
  }

  fileprivate func imageInput() throws(KerasError) -> ValueID {
    ignoreTraining()
    let images = try floatInput()
    guard shape(of: images).count == 4, !shape(of: images).contains(0) else {
      throw KerasError(.unsupported, "is called with \(type(of: images)), expected a batch of images")
    }
    return images
  }

  fileprivate func imageSize() throws(KerasError) -> ImageSize { (try size("height"), try size("width")) }

  fileprivate func imageExtents(_ images: ValueID, _ layout: Layout) -> ImageSize {
    let shape = shape(of: images)
    return (shape[layout.firstSpatialAxis], shape[layout.firstSpatialAxis + 1])
  }

  fileprivate func crop(
    _ images: ValueID, _ starts: [Int], _ size: ImageSize, layout: Layout, step: String? = nil
  ) throws(KerasError) -> ValueID {
    guard imageExtents(images, layout) != size else { return images }
    let first = layout.firstSpatialAxis
    let slice = Slice(
      axes: [first, first + 1], starts: starts, ends: [starts[0] + size.height, starts[1] + size.width])
    return try add(slice, [images], step: step)
  }

  /// Keras's `smart_resize`: the middle in the target's aspect ratio, resized.
  fileprivate func resizeToFit(
    _ images: ValueID, _ size: ImageSize, layout: Layout
  ) throws(KerasError) -> ValueID {
    let cropped = try cropToAspect(images, of: size, layout: layout, isSingle: version != .three)
    return try resizeImages(cropped, to: size, .bilinear, layout: layout)
  }

  /// The largest part of the target's aspect ratio out of the middle.
  ///
  /// - Parameter isSingle: whether Keras divides in single precision here.
  fileprivate func cropToAspect(
    _ images: ValueID, of size: ImageSize, layout: Layout, isSingle: Bool
  ) throws(KerasError) -> ValueID {
    let (height, width) = imageExtents(images, layout)
    let fitted = try aspect(height, width, size, isSingle: isSingle)
    let cropped = (height: max(min(height, fitted.height), 1), width: max(min(width, fitted.width), 1))
    let starts = [(height - cropped.height) / 2, (width - cropped.width) / 2]
    return try crop(images, starts, cropped, layout: layout, step: "cropped")
  }

  /// `fill_value` around the middle, as much on either side.
  fileprivate func padToAspect(
    _ images: ValueID, of size: ImageSize, layout: Layout
  ) throws(KerasError) -> ValueID {
    guard try string("fill_mode", default: "constant") == "constant" else {
      throw unsupported("fill_mode", "is not constant")
    }
    let (height, width) = imageExtents(images, layout)
    let fitted = try aspect(height, width, size, isSingle: true)
    let rows = max(fitted.height - height, 0) / 2
    let columns = max(fitted.width - width, 0) / 2
    guard rows > 0 || columns > 0 else { return images }
    var begins = [0, 0, 0, 0]
    begins.replaceSubrange(layout.firstSpatialAxis..<layout.firstSpatialAxis + 2, with: [rows, columns])
    let pad = Pad(begins: begins, ends: begins, value: try number("fill_value", default: 0))
    return try add(pad, [images], step: "padded")
  }

  /// The height that goes with the images' width in the target's aspect ratio, and the width that goes with their height.
  private func aspect(
    _ height: Int, _ width: Int, _ size: ImageSize, isSingle: Bool
  ) throws(KerasError) -> ImageSize {
    func scaled(_ extent: Int, _ numerator: Int, _ denominator: Int) throws(KerasError) -> Int {
      let (product, overflow) = extent.multipliedReportingOverflow(by: numerator)
      let quotient =
        isSingle ? Double(Float(product) / Float(denominator)) : Double(product) / Double(denominator)
      guard !overflow, quotient < Double(Int32.max) else {
        throw KerasError(
          .invalid, "fits images of \(height)x\(width) to \(size.height)x\(size.width), which is too far")
      }
      return Int(quotient)
    }
    return (
      try scaled(width, size.height, size.width), try scaled(height, size.width, size.height)
    )
  }
}
