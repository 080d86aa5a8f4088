import CSepalKernels
import Testing

@Suite struct LayoutKernelTests {
  @Test("transpose at block edges", arguments: [1, 3, 15, 16, 17, 35], [1, 3, 15, 16, 17, 35])
  func transpose(rows: Int, columns: Int) {
    let source = (0..<rows * columns).map(Float.init)
    var result = [Float](repeating: -1, count: rows * columns)
    sepal_transpose(&result, source, rows, columns)
    let expected = (0..<rows * columns).map { source[$0 % rows * columns + $0 / rows] }
    #expect(result == expected)
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
