import SepalGraph
import SepalTensor

/// The weight of each source pixel in each resampled one along one axis, as TensorFlow's kernels compute them where
/// `Resize` does not have the method.
struct ResamplingWeights {
  /// `[out, in]`.
  let matrix: Tensor

  init(_ interpolation: Interpolation, from extent: Int, to size: Int, antialias: Bool) {
    var weights = [Double](repeating: 0, count: size * extent)
    weights.withUnsafeMutableBufferPointer { weights in
      for index in 0..<size {
        let row = UnsafeMutableBufferPointer(rebasing: weights[index * extent..<(index + 1) * extent])
        switch interpolation {
        case .area: Self.area(index, row, size: size)
        default: Self.kernel(interpolation, index, row, size: size, antialias: antialias)
        }
      }
    }
    matrix = Tensor(.float32, [size, extent], doubles: weights)
  }

  /// `tf.image.resize` by area: how much of the target pixel each source pixel covers.
  private static func area(_ index: Int, _ row: UnsafeMutableBufferPointer<Double>, size: Int) {
    let scale = Double(row.count) / Double(size)
    let (start, end) = (Double(index) * scale, Double(index + 1) * scale)
    for pixel in Int(start)..<Int(end.rounded(.up)) {
      let covered = min(Double(pixel + 1), end) - max(Double(pixel), start)
      row[min(pixel, row.count - 1)] += max(covered, 0) / scale
    }
  }

  /// `tf.raw_ops.ScaleAndTranslate`.
  private static func kernel(
    _ interpolation: Interpolation, _ index: Int, _ row: UnsafeMutableBufferPointer<Double>, size: Int,
    antialias: Bool
  ) {
    let (radius, function) = function(interpolation)
    let inverseScale = Double(row.count) / Double(size)
    // Shrinking spreads the kernel over all that a target pixel covers.
    let spread = antialias ? max(inverseScale, 1) : 1
    let sample = (Double(index) + 0.5) * inverseScale
    let start = (sample - radius * spread - 0.5).rounded(.up)
    let end = (sample + radius * spread - 0.5).rounded(.down)
    let last = Double(row.count - 1)
    var total = 0.0
    for pixel in Int(min(max(start, 0), last))...Int(min(max(end, 0), last)) {
      let weight = function(abs(Double(pixel) + 0.5 - sample) / spread)
      row[pixel] = weight
      total += weight
    }
    normalize(row, total)
  }

  private static func normalize(_ row: UnsafeMutableBufferPointer<Double>, _ total: Double) {
    guard abs(total) > 1e-30 else { return }
    for pixel in row.indices { row[pixel] /= total }
  }

  private static func function(_ interpolation: Interpolation) -> (radius: Double, (Double) -> Double) {
    switch interpolation {
    case .lanczos3: (3, { lanczos($0, radius: 3) })
    case .lanczos5: (5, { lanczos($0, radius: 5) })
    // Three standard deviations of ½.
    case .gaussian: (1.5, { $0 < 1.5 ? (-2 * $0 * $0).exponential : 0 })
    case .mitchellcubic: (2, mitchellCubic)
    case .bicubic: (2, keysCubic)
    case .bilinear, .nearest, .area: (1, { max(1 - $0, 0) })
    }
  }

  private static func lanczos(_ x: Double, radius: Double) -> Double {
    if x > radius { return 0 }
    if x <= 1e-3 { return 1 }
    return radius * (.pi * x).sine * (.pi * x / radius).sine / (.pi * .pi * x * x)
  }

  private static func keysCubic(_ x: Double) -> Double {
    if x >= 2 { return 0 }
    return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1
  }

  private static func mitchellCubic(_ x: Double) -> Double {
    if x >= 2 { return 0 }
    return x >= 1
      ? ((-7.0 / 18 * x + 2) * x - 10.0 / 3) * x + 16.0 / 9 : (7.0 / 6 * x - 2) * x * x + 8.0 / 9
  }
}
