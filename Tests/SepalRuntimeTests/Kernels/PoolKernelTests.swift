import CSepalKernels
import Testing

@Suite struct PoolKernelTests {
  enum Kind: CaseIterable { case max, average, averageWithPad }

  static func run(
    _ problem: StripProblem, _ kind: Kind, rowCuts: [Int] = [], blockCuts: [Int] = []
  ) -> KernelImage {
    let (c, t) = (problem.c, problem.kernels.table)
    let cells = (0..<c.out.h).map { y in
      (0..<c.kernel.h).count { ky in
        let row = y * c.stride.h - c.pads.top + ky * c.dilation.h
        return kind == .average ? (0..<c.size.h).contains(row) : row < c.size.h + c.pads.bottom
      }
    }
    return problem.run(rowCuts: rowCuts, blockCuts: blockCuts) { strip, firstRow, blocks in
      switch kind {
      case .max: t.max_pool(&strip, blocks.lowerBound, blocks.upperBound)
      case .average, .averageWithPad:
        t.average_pool(
          &strip, Array(cells[firstRow...]), kind == .averageWithPad, c.pads.right, blocks.lowerBound,
          blocks.upperBound)
      }
    }
  }

  static func check(_ kernels: Kernels, _ c: WindowCase, _ kind: Kind) {
    guard c.isPossible else { return }
    let problem = StripProblem(kernels, c)
    let failures = c.failures(run(problem, kind)) { y, x, channel in
      var (largest, sum, cells) = (-Double.infinity, 0.0, 0)
      c.forEachTap(y, x) { row, column, _ in
        let value = Double(problem.input[row, column, channel])
        largest = Swift.max(largest, value)
        sum += value
        cells += 1
      }
      // The padding that was declared is all that these windows reach.
      if kind == .averageWithPad { cells = c.kernel.h * c.kernel.w }
      var result = ExactSum()
      result.add(kind == .max ? largest : cells == 0 ? 0 : sum / Double(cells))
      if kind != .max { (result.magnitude, result.terms) = (1, cells) }
      return result
    }
    #expect(failures == 0, "\(kind) \(c.testDescription)")
  }

  @Test("every kernel, stride, dilation and padding", arguments: runnableKernels, Kind.allCases)
  func geometry(_ kernels: Kernels, _ kind: Kind) {
    var index = 0
    let sizes = kernels.awkwardSizes
    for kernel in [(1, 1), (2, 2), (3, 3), (5, 2), (1, 3), (7, 7)] {
      for stride in [(1, 1), (2, 2), (3, 3), (1, 2)] {
        for dilation in [(1, 1), (2, 2)] {
          for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 1, 0), (0, 9, 0, 8), (5, 0, 6, 0)] {
            for size in [(7, 6), (5, 17)] {
              index += 1
              let channels = sizes[index % sizes.count]
              Self.check(
                kernels,
                WindowCase(
                  size: size, channels: (channels, channels), kernel: kernel, stride: stride,
                  dilation: dilation, pads: pads, gaps: index % 2 == 0 ? .some : .none), kind)
            }
          }
        }
      }
    }
  }

  @Test("every width and channel count", arguments: runnableKernels, Kind.allCases)
  func sizes(_ kernels: Kernels, _ kind: Kind) {
    for width in Array(1...17) + [28] {
      for (kernel, stride) in [(2, 2), (3, 1), (3, 2), (5, 1)] {
        for channels in [kernels.table.vector_width - 1, 2 * kernels.table.vector_width] {
          Self.check(
            kernels,
            WindowCase(
              size: (5, width), channels: (channels, channels), kernel: (kernel, kernel),
              stride: (stride, stride), pads: (kernel / 2, kernel / 2, kernel / 2, kernel / 2)), kind)
        }
      }
    }
  }

  @Test(
    "dividing rows and blocks anywhere does not change a bit", arguments: runnableKernels, Kind.allCases)
  func pieces(_ kernels: Kernels, _ kind: Kind) {
    let channels = 3 * kernels.table.vector_width + 1
    for stride in 1...2 {
      let c = WindowCase(
        size: (11, 12), channels: (channels, channels), stride: (stride, stride), pads: (1, 1, 1, 1))
      let problem = StripProblem(kernels, c)
      let whole = Self.run(problem, kind).elements
      for strip in 1...4 {
        let rowCuts = c.rowCuts(every: strip)
        let output = Self.run(problem, kind, rowCuts: rowCuts, blockCuts: [1, 3])
        #expect(output.elements == whole && output.strayWrites == 0, "\(kind) by \(strip), stride \(stride)")
      }
    }
  }

  @Test("a window beyond the padded image divides by the cells that exist", arguments: runnableKernels)
  func ceilMode(_ kernels: Kernels) {
    // 5 wide, kernel 2, stride 2, rounded up: the third window holds one column and no declared padding.
    let c = WindowCase(size: (1, 5), channels: (1, 1), kernel: (1, 2), stride: (1, 2), pads: (0, 0, 0, 1))
    let problem = StripProblem(kernels, c)
    for x in 0..<5 { problem.input[0, x, 0] = Float(x + 1) }
    let output = problem.run { strip, _, blocks in
      kernels.table.average_pool(&strip, [1], true, 0, blocks.lowerBound, blocks.upperBound)
    }
    #expect(output.elements == [1.5, 3.5, 5])
  }

  @Test("a NaN under the window is its maximum", arguments: runnableKernels)
  func nan(_ kernels: Kernels) {
    let width = 11
    for kernel in [2, 3] {
      for position in 0..<2 * width {
        let c = WindowCase(size: (2, width), channels: (2, 2), kernel: (2, kernel))
        let problem = StripProblem(kernels, c)
        problem.input[position / width, position % width, 1] = .nan
        let output = Self.run(problem, .max)
        for x in 0..<c.out.w {
          let isUnder = (x..<x + kernel).contains(position % width)
          #expect(
            output[0, x, 1].isNaN == isUnder && !output[0, x, 0].isNaN, "NaN at \(position), window \(x)")
        }
      }
    }
  }

  @Test("global average equals the mean", arguments: runnableKernels)
  func globalAverage(_ kernels: Kernels) {
    var random = SplitMix(3)
    let vector = kernels.table.vector_width
    for channels in kernels.awkwardSizes {
      for pixels in [1, 2, 49, 63, 64, 65, 1000] {
        for gaps in [KernelImage.Gaps.none, .some] {
          let input = KernelImage(
            operand: .blocked, width: pixels, channels: channels, vector: vector, gaps: gaps, random: &random)
          let output = KernelImage(result: .blocked, width: 1, channels: channels, vector: vector)
          let blocks = (channels + vector - 1) / vector
          for block in (0..<blocks).reversed() {
            kernels.table.global_average(
              output.base, input.constant(0), pixels, block, block + 1, input.block)
          }
          #expect(output.strayWrites == 0)
          for c in 0..<channels {
            let mean = (0..<pixels).reduce(0.0) { $0 + Double(input[0, $1, c]) } / Double(pixels)
            #expect(abs(Double(output[0, 0, c]) - mean) < 64 * 0x1p-24, "\(pixels) pixels, channel \(c)")
          }
        }
      }
    }
  }
}
