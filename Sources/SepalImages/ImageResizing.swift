/// A rectangle of a resized image. It may reach beyond the image; what is outside is black.
struct Window {
  let left, top, width, height: Int
}

extension Image {
  /// A part of the image in another size, by bilinear interpolation whose support grows when it shrinks. Sums are rounded
  /// to 8 bits after the rows and again after the columns, as Pillow does it, which networks are trained with.
  ///
  /// Takes memory for the window only, however large the whole resized image would be.
  func resized(width newWidth: Int, height newHeight: Int, window: Window) -> Image {
    let across = Resampling(from: width, to: newWidth, at: window.left..<window.left + window.width)
    let down = Resampling(from: height, to: newHeight, at: window.top..<window.top + window.height)
    let lineCount = 3 * window.width
    var line = [UInt8](repeating: 0, count: lineCount)
    var sums = [Int32](repeating: 0, count: lineCount * window.height)
    // Each row of the source goes to the few rows of the result that it touches.
    var first = 0
    for y in down.sources {
      pixels.withUnsafeBufferPointer { pixels in
        across.resample(
          UnsafeBufferPointer(rebasing: pixels[3 * y * width..<3 * (y + 1) * width]), into: &line)
      }
      while first < window.height, down.taps[first].upperBound <= y { first += 1 }
      var row = first
      while row < window.height, down.taps[row].lowerBound <= y {
        let weight = down.weight(row, of: y)
        for x in 0..<lineCount { sums[row * lineCount + x] += weight * Int32(line[x]) }
        row += 1
      }
    }
    return Image(width: window.width, height: window.height, pixels: sums.map(Resampling.rounded))
  }
}

/// Which elements of a line make each element of another, and with what weights.
private struct Resampling {
  /// What makes each element: ascending at both ends, empty outside of the other line.
  let taps: [Range<Int>]
  private let weights: [Int32]
  /// Where the weights of each element begin.
  private let offsets: [Int]
  /// Weights are whole numbers of this share of one: 8 bits of a pixel and 2 to spare are left of 32.
  private static let bits = 22

  init(from old: Int, to new: Int, at positions: Range<Int>) {
    let scale = Double(old) / Double(new)
    let support = max(scale, 1)
    var taps: [Range<Int>] = []
    var weights: [Int32] = []
    var offsets: [Int] = []
    for position in positions {
      offsets.append(weights.count)
      guard (0..<new).contains(position) else {
        taps.append(position < 0 ? 0..<0 : old..<old)
        continue
      }
      let center = (Double(position) + 0.5) * scale
      let start = max(0, Int(center - support + 0.5))
      let end = min(old, Int(center + support + 0.5))
      let triangle = (start..<end).map { max(0, 1 - ((Double($0) - center + 0.5) / support).magnitude) }
      let sum = triangle.reduce(0, +)
      taps.append(start..<end)
      for weight in triangle { weights.append(Int32((weight / sum * Double(1 << Self.bits)).rounded())) }
    }
    self.taps = taps
    self.weights = weights
    self.offsets = offsets
  }

  /// All elements that any element is made of.
  var sources: Range<Int> { (taps.first?.lowerBound ?? 0)..<(taps.last?.upperBound ?? 0) }

  func weight(_ index: Int, of source: Int) -> Int32 {
    weights[offsets[index] + source - taps[index].lowerBound]
  }

  static func rounded(_ sum: Int32) -> UInt8 { UInt8(clamping: (sum + (1 << (bits - 1))) >> bits) }

  /// Resamples a row of RGB.
  func resample(_ row: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) {
    for (index, taps) in taps.enumerated() {
      var (red, green, blue): (Int32, Int32, Int32) = (0, 0, 0)
      var offset = offsets[index]
      for tap in taps {
        let weight = weights[offset]
        red += weight * Int32(row[3 * tap])
        green += weight * Int32(row[3 * tap + 1])
        blue += weight * Int32(row[3 * tap + 2])
        offset += 1
      }
      result[3 * index] = Self.rounded(red)
      result[3 * index + 1] = Self.rounded(green)
      result[3 * index + 2] = Self.rounded(blue)
    }
  }
}
