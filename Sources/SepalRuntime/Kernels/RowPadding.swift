/// Copies of input rows with the padding in place, so that a convolution's window never leaves its rows. A few rows
/// are kept at a time; one more is all zeros.
struct RowPadding: Sendable {
  /// Output rows whose input is padded at a time.
  let stripRows: Int
  private let window: ImageWindow
  /// Pieces of a row that are apart from each other in memory: channel blocks, or channels where the image is planar.
  let pieces: Int
  /// Floats of a padded row of one piece, before the image's part of it, and of that.
  private let row, left, copied: Int

  /// The padded rows of a strip stay in L2.
  private static let stripBytes = 128 * 1024

  /// Nil where the window never leaves the image and its rows can be read in place.
  ///
  /// - Parameter pixel: floats from pixel to pixel.
  init?(_ geometry: WindowGeometry, pieces: Int, pixel: Int) {
    window = ImageWindow(geometry)
    self.pieces = pieces
    let needed =
      (geometry.output.width - 1) * geometry.strides.w + (geometry.kernel.w - 1) * geometry.dilations.w + 1
    let lastRow = (geometry.output.height - 1) * window.stride + window.span
    if geometry.padBegins == (0, 0), needed <= geometry.input.width, lastRow <= geometry.input.height {
      return nil
    }
    row = needed * pixel
    left = min(geometry.padBegins.w, needed) * pixel
    copied = max(0, min(geometry.input.width, needed - geometry.padBegins.w)) * pixel
    let fitting = max(window.span, Self.stripBytes / max(1, row * pieces * MemoryLayout<Float>.size))
    stripRows = 1 + (fitting - window.span) / window.stride
  }

  /// Padded rows for a strip of output rows, and one of zeros.
  func places(rows: Int) -> Int { (rows - 1) * window.stride + window.span + 1 }
  func byteCount(rows: Int) -> Int { places(rows: rows) * row * pieces * MemoryLayout<Float>.size }
  func offset(_ place: Int) -> Int { place * row }
  /// Floats from piece to piece.
  func piece(places: Int) -> Int { places * row }

  func zero(_ padded: UnsafeMutablePointer<Float>, places: Int, place: Int) {
    for piece in 0..<pieces {
      (padded + piece * places * row + offset(place)).update(repeating: 0, count: row)
    }
  }

  /// Copies row `y` of an image whose pieces are `input.block` apart.
  func copy(_ input: ImageRows, row y: Int, to padded: UnsafeMutablePointer<Float>, places: Int, place: Int) {
    for piece in 0..<pieces {
      let target = padded + piece * places * row + offset(place)
      target.update(repeating: 0, count: left)
      (target + left).update(from: input[y] + piece * input.block, count: copied)
      (target + left + copied).update(repeating: 0, count: row - left - copied)
    }
  }
}
