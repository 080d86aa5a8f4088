extension Image {
  /// The image in another size, by bilinear interpolation whose support grows when it shrinks. Sums are rounded to 8 bits
  /// after the rows and again after the columns, as Pillow does it, which networks are trained with.
  func resized(width newWidth: Int, height newHeight: Int) -> Image {
    let across = Resampling(from: width, to: newWidth)
    let down = Resampling(from: height, to: newHeight)
    var rows = [UInt8](repeating: 0, count: 3 * newWidth * height)
    for y in 0..<height {
      for x in 0..<newWidth {
        for channel in 0..<3 {
          rows[3 * (y * newWidth + x) + channel] = across.sample(x) { pixels[3 * (y * width + $0) + channel] }
        }
      }
    }
    var result = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
    for y in 0..<newHeight {
      for x in 0..<3 * newWidth {
        result[3 * y * newWidth + x] = down.sample(y) { rows[3 * $0 * newWidth + x] }
      }
    }
    return Image(width: newWidth, height: newHeight, pixels: result)
  }

  /// A part of the image. What is outside is black.
  func cropped(left: Int, top: Int, width newWidth: Int, height newHeight: Int) -> Image {
    var result = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
    for y in max(0, -top)..<max(max(0, -top), min(newHeight, height - top)) {
      for x in max(0, -left)..<max(max(0, -left), min(newWidth, width - left)) {
        for channel in 0..<3 {
          result[3 * (y * newWidth + x) + channel] = pixels[3 * ((y + top) * width + x + left) + channel]
        }
      }
    }
    return Image(width: newWidth, height: newHeight, pixels: result)
  }
}

/// Which elements of a line make each element of another, and with what weights.
private struct Resampling {
  private let starts: [Int]
  private let weights: [[Int32]]
  /// Weights are whole numbers of this share of one: 8 bits of a pixel and 2 to spare are left of 32.
  private static let bits = 22

  init(from old: Int, to new: Int) {
    let scale = Double(old) / Double(new)
    let support = max(scale, 1)
    var starts: [Int] = []
    var weights: [[Int32]] = []
    for index in 0..<new {
      let center = (Double(index) + 0.5) * scale
      let start = max(0, Int(center - support + 0.5))
      let end = min(old, Int(center + support + 0.5))
      let triangle = (start..<end).map { max(0, 1 - ((Double($0) - center + 0.5) / support).magnitude) }
      let sum = triangle.reduce(0, +)
      starts.append(start)
      weights.append(triangle.map { Int32(($0 / sum * Double(1 << Self.bits)).rounded()) })
    }
    self.starts = starts
    self.weights = weights
  }

  func sample(_ index: Int, _ element: (Int) -> UInt8) -> UInt8 {
    var sum: Int32 = 1 << (Self.bits - 1)
    for (offset, weight) in weights[index].enumerated() {
      sum += weight * Int32(element(starts[index] + offset))
    }
    return UInt8(clamping: sum >> Self.bits)
  }
}
