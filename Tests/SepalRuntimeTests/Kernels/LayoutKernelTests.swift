import CSepalKernels
import Testing

@Suite struct LayoutKernelTests {
  /// An image's arrangement, with distances beyond what the elements take.
  struct Arrangement: CustomTestStringConvertible {
    let testDescription: String
    let layout: @Sendable (_ pixels: Int, _ channels: Int, _ width: Int) -> sepal_layout
  }

  static let arrangements = [
    Arrangement(testDescription: "plain") { sepal_layout(pixel: $1, block: $2, lane: 1) },
    Arrangement(testDescription: "plain, apart") { sepal_layout(pixel: $1 + 5, block: $2, lane: 1) },
    Arrangement(testDescription: "planar") { sepal_layout(pixel: 1, block: $2 * $0, lane: $0) },
    Arrangement(testDescription: "planar, apart") {
      sepal_layout(pixel: 1, block: $2 * ($0 + 3), lane: $0 + 3)
    },
    Arrangement(testDescription: "blocked") { sepal_layout(pixel: $2, block: $2 * $0, lane: 1) },
    Arrangement(testDescription: "blocked, apart") { sepal_layout(pixel: $2, block: $2 * ($0 + 2), lane: 1) },
  ]

  @Test("copies an image between any two arrangements", arguments: [1, 3, 4, 8, 16], [1, 2, 15, 16, 17, 49])
  func reorder(width: Int, pixels: Int) {
    for channels in [1, 3, width - 1, width, width + 1, 2 * width + 3] where channels > 0 {
      for (from, to) in Self.arrangements.flatMap({ from in Self.arrangements.map { (from, $0) } }) {
        let (source, target) = (from.layout(pixels, channels, width), to.layout(pixels, channels, width))
        func index(_ layout: sepal_layout, _ p: Int, _ c: Int) -> Int {
          c / width * layout.block + p * layout.pixel + c % width * layout.lane
        }
        func size(_ layout: sepal_layout) -> Int {
          1 + (0..<channels).reduce(0) { max($0, index(layout, pixels - 1, $1)) }
        }
        var input = [Float](repeating: .nan, count: size(source))
        var output = [Float](repeating: KernelImage.canary, count: size(target) + 20)
        var expected = output
        for p in 0..<pixels {
          for c in 0..<channels {
            input[index(source, p, c)] = Float(p * channels + c)
            expected[index(target, p, c)] = Float(p * channels + c)
          }
        }
        sepal_reorder(&output, target, input, source, pixels, channels, width)
        #expect(
          output == expected, "\(from.testDescription) to \(to.testDescription), \(channels) channels")
      }
    }
  }

  @Test("copies a box of any element size between strided arrays")
  func copyBox() {
    func check<T: FixedWidthInteger>(_: T.Type) {
      let source = (0..<60).map { T($0) }
      var result = [T](repeating: 0, count: 24)
      // Elements [1…2][0…3][2…4] of 3×4×5, reversed along the last axis and with the first two swapped.
      source.withUnsafeBufferPointer { source in
        guard let base = source.baseAddress else { return }
        sepal_copy_box(&result, base + 20 + 4, 3, [2, 4, 3], [3, 6, 1], [20, 5, -1], MemoryLayout<T>.size)
      }
      var expected = [T](repeating: 0, count: 24)
      for i in 0..<2 {
        for j in 0..<4 {
          for k in 0..<3 { expected[i * 3 + j * 6 + k] = T((i + 1) * 20 + j * 5 + 4 - k) }
        }
      }
      #expect(result == expected)
    }
    check(UInt8.self)
    check(UInt16.self)
    check(UInt32.self)
    check(UInt64.self)
  }
}
