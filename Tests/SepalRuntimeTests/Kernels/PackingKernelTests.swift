import CSepalKernels
import Testing

@Suite struct PackingKernelTests {
  /// Where w(n, tap, k) is in a packed matrix.
  static func index(_ kernels: Kernels, _ n: Int, columns: Int, depth: Int, at k: Int) -> Int {
    let t = kernels.table
    var panel = 0
    while t.panel_start(columns, panel + 1) * t.vector_width <= n { panel += 1 }
    let first = t.panel_start(columns, panel) * t.vector_width
    let width = t.panel_start(columns, panel + 1) * t.vector_width - first
    return first * depth + k * width + n - first
  }

  @Test("panels cover the columns, each as wide as the table says at most", arguments: runnableKernels)
  func panels(_ kernels: Kernels) {
    let t = kernels.table
    for n in 1...6 * t.panel_width {
      let starts = (0...t.panel_count(n)).map { t.panel_start(n, $0) }
      #expect(starts[0] == 0 && starts.last == (n + t.vector_width - 1) / t.vector_width)
      #expect(
        zip(starts, starts.dropFirst()).allSatisfy {
          $0 < $1 && ($1 - $0) * t.vector_width <= t.panel_width
        }, "\(n) columns: \(starts)")
      #expect(t.packed_size(n, 7) == starts[starts.count - 1] * t.vector_width * 7)
    }
  }

  @Test("packs every weight once, in panels, from any order of the source", arguments: runnableKernels)
  func pack(_ kernels: Kernels) {
    let t = kernels.table
    var random = SplitMix(4)
    for n in kernels.awkwardSizes {
      for (taps, k) in [(1, 1), (1, 17), (9, 3), (4, 16), (3, 33)] {
        let source = random.floats(n * taps * k)
        // Columns outermost, and columns innermost.
        for (nStride, tapStride, kStride) in [(taps * k, 1, taps), (taps * k, k, 1), (1, k * n, n)] {
          let panels = t.panel_count(n)
          var packed = [Float](repeating: .nan, count: t.packed_size(n, taps * k))
          for panel in (0..<panels).reversed() {
            t.pack(&packed, source, n, taps, k, nStride, tapStride, kStride, panel, panel + 1)
          }
          var expected = [Float](repeating: 0, count: packed.count)
          for j in 0..<n {
            for i in 0..<taps * k {
              expected[Self.index(kernels, j, columns: n, depth: taps * k, at: i)] =
                source[j * nStride + i / k * tapStride + i % k * kStride]
            }
          }
          #expect(packed == expected, "\(n) columns, \(taps) taps of \(k), strides \(nStride) \(kStride)")
        }
      }
    }
  }

  @Test("packs the filters of channels into blocks of them", arguments: runnableKernels)
  func packChannels(_ kernels: Kernels) {
    let t = kernels.table
    var random = SplitMix(5)
    for channels in kernels.awkwardSizes {
      let blocks = (channels + t.vector_width - 1) / t.vector_width
      for taps in [1, 3, 9, 25, 49] {
        let source = random.floats(channels * taps)
        var packed = [Float](repeating: .nan, count: blocks * taps * t.vector_width)
        for block in (0..<blocks).reversed() {
          t.pack_channels(&packed, source, channels, taps, block, block + 1)
        }
        let expected = packed.indices.map { index -> Float in
          let lane = index % t.vector_width
          let tap = index / t.vector_width % taps
          let channel = index / (t.vector_width * taps) * t.vector_width + lane
          return channel < channels ? source[channel * taps + tap] : 0
        }
        #expect(packed == expected, "\(channels) channels, \(taps) taps")
      }
    }
  }
}
