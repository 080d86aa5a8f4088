import CSepalKernels

/// Copies of input rows with the padding in place, so that a convolution's window never leaves its rows. A few rows
/// are kept at a time; one more is all zeros.
struct RowPadding: Sendable {
  /// Output rows whose input is padded at a time.
  let stripRows: Int
  private let window: ImageWindow
  private let form: Form
  private let vector: Int
  /// Floats from padded pixel to padded pixel, and in a padded row of one block.
  private let pixel, row: Int
  private let blocks: Int
  /// Floats before the image's row, and of it.
  private let left, copied: Int
  private let layout: sepal_layout

  /// The padded rows of a strip stay in L2.
  private static let stripBytes = 128 * 1024

  /// Nil where the window never leaves the image and its rows can be read in place.
  init?(_ geometry: WindowGeometry, _ form: Form, _ vector: Int, pixel: Int) {
    window = ImageWindow(geometry)
    let needed =
      (geometry.output.width - 1) * geometry.strides.w + (geometry.kernel.w - 1) * geometry.dilations.w + 1
    let lastRow = (geometry.output.height - 1) * window.stride + window.span
    if form != .planar, geometry.padBegins == (0, 0), needed <= geometry.input.width,
      lastRow <= geometry.input.height
    {
      return nil
    }
    (self.form, self.vector, self.pixel) = (form, vector, pixel)
    blocks = form == .blocked ? geometry.input.blocks(vector) : 1
    row = needed * pixel
    left = geometry.padBegins.w * pixel
    copied = max(0, min(geometry.input.width, needed - geometry.padBegins.w)) * pixel
    layout = geometry.input.layout(of: form, vector: vector)
    let rowBytes = row * blocks * MemoryLayout<Float>.size
    let fitting = max(window.span, Self.stripBytes / max(1, rowBytes))
    stripRows = 1 + (fitting - window.span) / window.stride
  }

  private func places(rows: Int) -> Int { (rows - 1) * window.stride + window.span + 1 }
  func byteCount(rows: Int) -> Int { places(rows: rows) * row * blocks * MemoryLayout<Float>.size }
  func offset(_ place: Int) -> Int { place * row }
  func block(places: Int) -> Int { form == .blocked ? places * row : vector }

  func zero(_ padded: UnsafeMutablePointer<Float>, places: Int, place: Int) {
    for block in 0..<blocks {
      (padded + block * places * row + offset(place)).update(repeating: 0, count: row)
    }
  }

  func copy(_ input: ImageRows, row y: Int, to padded: UnsafeMutablePointer<Float>, places: Int, place: Int) {
    for block in 0..<blocks {
      let target = padded + block * places * row + offset(place)
      let source = input[y] + block * input.block
      target.update(repeating: 0, count: min(left, row))
      if form == .planar {
        var plain = layout
        (plain.pixel, plain.block, plain.lane) = (pixel, vector, 1)
        sepal_reorder(target + left, plain, source, layout, copied / pixel, window.input.channels, vector)
      } else {
        (target + left).update(from: source, count: copied)
      }
      if left + copied < row { (target + left + copied).update(repeating: 0, count: row - left - copied) }
    }
  }
}
