import CSepalKernels
import Testing

@Suite struct PoolKernelTests {
  enum Kind: CaseIterable { case max, average, averageWithPad }

  static func check(_ kernels: Kernels, _ c: WindowCase, _ kind: Kind) {
    guard c.isPossible else { return }
    let t = kernels.table
    let channels = c.channels.input
    var random = SplitMix(11)
    let input = random.floats(c.batch * c.size.h * c.size.w * c.inStride)
    var output = GuardedOutput(c.outPixels * c.outStride)
    let rows = c.batch * c.out.h
    _ = c.withWindow(input: input, weights: [], bias: [], residual: [], output: &output) { w in
      switch kind {
      case .max: t.max_pool(&w, 0, rows)
      case .average, .averageWithPad:
        t.average_pool(&w, kind == .averageWithPad, c.pads.bottom, c.pads.right, 0, rows)
      }
    }
    var exact = [ExactSum](repeating: ExactSum(), count: c.outPixels * channels)
    c.forEachOutput { n, y, x, pixel in
      for ch in 0..<channels {
        var (largest, sum, cells) = (-Double.infinity, 0.0, 0)
        c.forEachTap(n, y, x) { from, _ in
          let value = Double(input[from * c.inStride + ch])
          largest = Swift.max(largest, value)
          sum += value
          cells += 1
        }
        if kind == .averageWithPad { cells = c.kernel.h * c.kernel.w }
        var result = ExactSum()
        result.add(kind == .max ? largest : cells == 0 ? 0 : sum / Double(cells))
        result.magnitude = kind == .max ? result.magnitude : 1
        result.terms = cells
        exact[pixel * channels + ch] = result
      }
    }
    #expect(c.failures(output, exact) == 0, "\(kind) \(c.testDescription)")
  }

  @Test("every kernel, stride, dilation and padding", arguments: runnableKernels)
  func geometry(_ kernels: Kernels) {
    for kind in Kind.allCases {
      for kernel in [(1, 1), (2, 2), (3, 3), (5, 2)] {
        for stride in 1...3 {
          for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 1, 0)] where kernel.0 > pads.0 || pads.0 == 0 {
            for channels in kernels.awkwardSizes {
              for dilation in 1...2 {
                Self.check(
                  kernels,
                  WindowCase(
                    batch: 2, size: (7, 6), channels: (channels, channels), kernel: kernel,
                    stride: (stride, stride), dilation: (dilation, dilation), pads: pads, padding: 2),
                  kind)
              }
            }
          }
        }
      }
    }
  }

  @Test("a window beyond the padded image divides by the cells that exist", arguments: runnableKernels)
  func ceilMode(_ kernels: Kernels) {
    // 5 wide, kernel 2, stride 2, rounded up: the third window holds one column and no declared padding.
    let input: [Float] = [1, 2, 3, 4, 5]
    var output = GuardedOutput(3)
    let c = WindowCase(size: (1, 5), channels: (1, 1), kernel: (1, 2), stride: (1, 2), pads: (0, 0, 0, 1))
    _ = c.withWindow(input: input, weights: [], bias: [], residual: [], output: &output) { w in
      kernels.table.average_pool(&w, true, 0, 0, 0, 1)
    }
    #expect(Array(output.values) == [1.5, 3.5, 5])
  }

  @Test("a NaN under the window is its maximum", arguments: runnableKernels)
  func nan(_ kernels: Kernels) {
    for position in 0..<4 {
      var input: [Float] = [1, 2, 3, 4]
      input[position] = .nan
      var output = GuardedOutput(1)
      let c = WindowCase(size: (2, 2), channels: (1, 1), kernel: (2, 2))
      _ = c.withWindow(input: input, weights: [], bias: [], residual: [], output: &output) { w in
        kernels.table.max_pool(&w, 0, 1)
      }
      #expect(output.storage[0].isNaN, "NaN at \(position)")
    }
  }

  @Test("global average equals the mean", arguments: runnableKernels)
  func globalAverage(_ kernels: Kernels) {
    var random = SplitMix(3)
    for channels in kernels.awkwardSizes {
      for pixels in [1, 49, 64, 65, 1000] {
        let input = random.floats(pixels * (channels + 1))
        var output = GuardedOutput(channels)
        kernels.table.global_average(&output.storage, input, pixels, channels, channels + 1)
        #expect(output.marginIsIntact)
        for c in 0..<channels {
          let mean =
            (0..<pixels).reduce(0.0) { $0 + Double(input[$1 * (channels + 1) + c]) } / Double(pixels)
          #expect(abs(Double(output.storage[c]) - mean) < 64 * 0x1p-24, "\(pixels) pixels, channel \(c)")
        }
      }
    }
  }
}
