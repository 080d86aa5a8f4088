import SepalGraph
import SepalTensor

extension OperationRules {
  static let images: [String: Rule] = [
    "DepthToSpace": depthToSpace, "nn.depth_to_space": depthToSpace,
    "SpaceToDepth": spaceToDepth, "nn.space_to_depth": spaceToDepth,
    "CropImages": crop, "PadImages": padImages,
    "Resize": resize, "image.resize": resize,
    "RGBToGrayscale": grayscale, "image.rgb_to_grayscale": grayscale,
    "compat.v1.image.resize_bilinear": resizeV1(.linear),
    "compat.v1.image.resize_nearest_neighbor": resizeV1(.nearest),
  ]

  private static func depthToSpace(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, block, layout) = try context.blocks()
    return [try context.add(DepthToSpace(blockSize: block, layout: layout), [x])]
  }

  private static func spaceToDepth(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, block, layout) = try context.blocks()
    return [try context.add(SpaceToDepth(blockSize: block, layout: layout), [x])]
  }

  /// As the layer Resizing does it.
  private static func resize(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let images = try context.floatTensor(0, "images")
    guard let size = try context.integers(1, "size"), size.count == 2 else {
      throw context.invalid("size", "is no pair of numbers")
    }
    guard try !context.bool("preserve_aspect_ratio", default: false) else {
      throw context.unsupported("preserve_aspect_ratio", "is true")
    }
    var settings: [JSONObject.Member] = [
      .init(name: "height", value: .int(size[0])), .init(name: "width", value: .int(size[1])),
    ]
    for (field, name) in [("interpolation", "interpolation"), ("method", "interpolation")]
      + [
        "antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value", "data_format",
      ].map({ ($0, $0) })
    {
      if let value = context.entry(field) { settings.append(.init(name: name, value: value)) }
    }
    return try LayerRules.resizing(context.reading(JSONObject(settings), Operands([images])))
  }

  /// TensorFlow 1's resizing: corners aligned, pixels' centres halved, or neither.
  private static func resizeV1(_ mode: ResizeMode) -> Rule {
    { context throws(KerasError) in
      let x = try context.floatTensor(0, "images")
      let shape = context.shape(of: x)
      guard shape.count == 4, !shape.contains(0), let size = try context.integers(1, "size"), size.count == 2,
        size.allSatisfy({ (1...Int(Int32.max)).contains($0) })
      else { throw KerasError(.invalid, "resizes \(context.type(of: x)), expected images and two sizes") }
      let alignsCorners = try context.bool("align_corners", default: false)
      let halvesPixels = try context.bool("half_pixel_centers", default: false)
      guard !(alignsCorners && halvesPixels), mode == .linear || !alignsCorners else {
        throw context.unsupported("align_corners", "is true, which is not supported here")
      }
      guard mode == .linear || size[0].isMultiple(of: shape[1]) && size[1].isMultiple(of: shape[2]) else {
        throw context.unsupported("size", "is \(size), expected multiples of \(shape[1]) and \(shape[2])")
      }
      let sizes = [shape[0]] + size + [shape[3]]
      let op = Resize(
        sizes: sizes, scales: zip(sizes, shape).map { Double($0) / Double($1) }, mode: mode,
        coordinates: alignsCorners ? .alignCorners : halvesPixels ? .halfPixel : .asymmetric,
        nearestMode: halvesPixels ? .roundPreferFloor : .floor)
      return [try context.add(op, [x])]
    }
  }

  private static func crop(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, rows, columns) = try context.imageAxes()
    let vertical = try context.borders(
      x, rows, "top_cropping", "bottom_cropping", "target_height", isCrop: true)
    let horizontal = try context.borders(
      x, columns, "left_cropping", "right_cropping", "target_width", isCrop: true)
    let shape = context.shape(of: x)
    let op = Slice(
      axes: [rows, columns], starts: [vertical.begin, horizontal.begin],
      ends: [shape[rows] - vertical.end, shape[columns] - horizontal.end])
    return [try context.add(op, [x])]
  }

  private static func padImages(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let (x, rows, columns) = try context.imageAxes()
    let vertical = try context.borders(
      x, rows, "top_padding", "bottom_padding", "target_height", isCrop: false)
    let horizontal = try context.borders(
      x, columns, "left_padding", "right_padding", "target_width", isCrop: false)
    var begins = context.shape(of: x).map { _ in 0 }
    var ends = begins
    (begins[rows], ends[rows]) = vertical
    (begins[columns], ends[columns]) = horizontal
    return [try context.add(Pad(begins: begins, ends: ends), [x])]
  }

  /// 0.2989·r + 0.587·g + 0.114·b.
  private static func grayscale(_ context: LayerContext) throws(KerasError) -> [ValueID] {
    let x = try context.floatTensor(0, "images")
    let rank = context.shape(of: x).count
    guard rank == 3 || rank == 4 else {
      throw KerasError(.invalid, "is called with \(context.type(of: x)), expected rank 3 or 4")
    }
    let axis = try context.layout() == .channelsLast ? rank - 1 : rank - 3
    let channels = context.shape(of: x)[axis]
    if channels == 1, !context.layer.isTensorFlowOperation { return [x] }
    guard channels == 3 else {
      throw KerasError(.invalid, "is called with \(context.type(of: x)), expected 3 channels")
    }
    var weightShape = [Int](repeating: 1, count: rank)
    weightShape[axis] = 3
    let weights = context.add(
      constant: Tensor(context.type(of: x).element, weightShape, doubles: [0.2989, 0.587, 0.114]),
      step: "weights")
    let weighted = try context.add(Mul(), [x, weights], step: "weighted")
    return [try context.add(ReduceSum(axes: [axis]), [weighted])]
  }
}

extension LayerContext {
  fileprivate func blocks() throws(KerasError) -> (x: ValueID, block: Int, layout: Layout) {
    let x = try tensor(0, "x", "input")
    let block = try int("block_size")
    guard (1...1 << 15).contains(block) else { throw invalid("block_size", "is \(block)") }
    let layout = try choice(
      "data_format", default: "channels_last",
      [
        "NHWC": Layout.channelsLast, "NCHW": .channelsFirst, "channels_last": .channelsLast,
        "channels_first": .channelsFirst,
      ])
    return (x, block, layout)
  }

  fileprivate func imageAxes() throws(KerasError) -> (x: ValueID, rows: Int, columns: Int) {
    let x = try tensor(0, "images")
    let rank = shape(of: x).count
    guard rank == 3 || rank == 4 else {
      throw KerasError(.invalid, "is called with \(type(of: x)), expected rank 3 or 4")
    }
    let rows = try layout() == .channelsLast ? rank - 3 : rank - 2
    return (x, rows, rows + 1)
  }

  /// Two of three say what is added to, or taken off, an axis: before, after, and the extent that results.
  fileprivate func borders(
    _ x: ValueID, _ axis: Int, _ before: String, _ after: String, _ target: String, isCrop: Bool
  ) throws(KerasError) -> (begin: Int, end: Int) {
    let extent = shape(of: x)[axis]
    func amount(_ field: String) throws(KerasError) -> Int? {
      guard let value = try optionalInt(field) else { return nil }
      guard (0...Int(Int32.max)).contains(value) else { throw invalid(field, "is \(value)") }
      return value
    }
    let (begin, end, size) = (try amount(before), try amount(after), try amount(target))
    // What begin and end come to.
    let total = size.map { isCrop ? extent - $0 : $0 - extent } ?? (begin ?? 0) + (end ?? 0)
    let borders =
      if let begin { (begin: begin, end: end ?? total - begin) } else {
        (begin: total - (end ?? 0), end: end ?? 0)
      }
    guard borders.begin >= 0, borders.end >= 0, borders.begin + borders.end == total,
      !isCrop || total <= extent, [begin, end, size].count(where: { $0 != nil }) >= 2
    else {
      throw invalid(target, "and '\(before)', '\(after)' do not fit \(extent) pixels")
    }
    return borders
  }
}
