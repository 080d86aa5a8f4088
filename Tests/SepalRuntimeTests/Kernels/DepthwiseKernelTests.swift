import CSepalKernels
import Testing

@Suite struct DepthwiseKernelTests {
  static func run(
    _ problem: StripProblem, rowCuts: [Int] = [], blockCuts: [Int] = []
  ) -> KernelImage {
    problem.run(rowCuts: rowCuts, blockCuts: blockCuts) { strip, _, blocks in
      problem.kernels.table.depthwise(&strip, blocks.lowerBound, blocks.upperBound)
    }
  }

  /// Every element must be what the exact sum explains.
  static func check(_ kernels: Kernels, _ c: WindowCase) {
    guard c.isPossible else { return }
    let problem = StripProblem(kernels, c)
    let taps = c.kernel.h * c.kernel.w
    let failures = c.failures(run(problem)) { y, x, channel in
      var sum = ExactSum()
      sum.add(Double(problem.bias[channel]))
      c.forEachTap(y, x) { row, column, tap in
        sum.add(problem.input[row, column, channel], times: problem.weights[channel * taps + tap])
      }
      if c.residual { sum.add(Double(problem.residual[y, x, channel])) }
      return sum
    }
    #expect(failures == 0, "\(c.testDescription)")
  }

  static let kernels: [WindowCase.Pair] = [
    (1, 1), (2, 2), (3, 3), (5, 5), (7, 7), (3, 5), (5, 3), (1, 7), (9, 1), (4, 6),
  ]

  @Test(
    "every kernel, stride, dilation and padding", arguments: runnableKernels, kernels.indices)
  func geometry(_ kernels: Kernels, _ kernel: Int) {
    let kernel = Self.kernels[kernel]
    let width = kernels.table.vector_width
    var index = 0
    for stride in [(1, 1), (2, 2), (3, 3), (1, 2), (2, 1)] {
      for dilation in [(1, 1), (2, 2), (1, 3)] {
        for pads in [
          (0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 1, 0), (2, 0, 0, 2), (3, 3, 3, 3), (0, 19, 0, 23),
          (21, 0, 17, 0),
        ] {
          for size in [(7, 8), (6, 15)] {
            index += 1
            Self.check(
              kernels,
              WindowCase(
                size: size,
                channels: ([width - 1, width + 3][index % 2], [width - 1, width + 3][index % 2]),
                kernel: kernel, stride: stride, dilation: dilation, pads: pads, residual: index % 3 == 0))
          }
        }
      }
    }
  }

  @Test("every width, at the strides and paddings that networks use", arguments: runnableKernels)
  func widths(_ kernels: Kernels) {
    let channels = 2 * kernels.table.vector_width + 3
    for width in Array(1...17) + [28, 33] {
      for kernel in [3, 5, 7] {
        for stride in 1...3 {
          for pads in [(kernel / 2, kernel / 2, kernel / 2, kernel / 2), (0, 0, 1, 1), (1, 1, 0, 0)] {
            Self.check(
              kernels,
              WindowCase(
                size: (5, width), channels: (channels, channels), kernel: (kernel, kernel),
                stride: (stride, stride), pads: pads, residual: width % 2 == 0))
          }
        }
      }
    }
  }

  @Test("every height and channel count", arguments: runnableKernels)
  func heights(_ kernels: Kernels) {
    for channels in kernels.awkwardSizes + [64] {
      for height in 1...9 {
        for kernel in [3, 5] {
          for stride in 1...2 {
            Self.check(
              kernels,
              WindowCase(
                size: (height, 9), channels: (channels, channels), kernel: (kernel, kernel),
                stride: (stride, stride), pads: (kernel / 2, 1, kernel / 2, 2), residual: height % 2 == 0,
                gaps: height % 3 == 0 ? .some : .none))
          }
        }
      }
    }
  }

  @Test("kernels as high as kernels may be", arguments: runnableKernels)
  func highKernels(_ kernels: Kernels) {
    let height = SEPAL_KERNEL_ROWS
    for size in [(height, 3), (height + 4, 5), (3, 4)] {
      Self.check(
        kernels,
        WindowCase(
          size: size, channels: (5, 5), kernel: (height, 3), pads: (height / 2, 1, height / 2, 1)))
    }
  }

  @Test("dividing rows and blocks anywhere does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    let channels = 4 * kernels.table.vector_width + 3
    for kernel in [3, 5, 7] {
      for stride in 1...2 {
        let c = WindowCase(
          size: (13, 14), channels: (channels, channels), kernel: (kernel, kernel), stride: (stride, stride),
          pads: (kernel / 2, kernel / 2, kernel / 2, kernel / 2), residual: true,
          act: activation(SEPAL_ACT_HARD_SWISH))
        let problem = StripProblem(kernels, c)
        let whole = Self.run(problem).elements
        for strip in 1...5 {
          let rowCuts = c.rowCuts(every: strip)
          for blockCuts in [[], [1], [1, 2, 4]] {
            let output = Self.run(problem, rowCuts: rowCuts, blockCuts: blockCuts)
            #expect(
              output.elements == whole && output.strayWrites == 0,
              "\(c.testDescription), rows by \(strip), blocks at \(blockCuts)")
          }
        }
      }
    }
  }

  @Test("the activation comes after bias and residual", arguments: runnableKernels)
  func activations(_ kernels: Kernels) {
    let channels = kernels.table.vector_width + 1
    for kernel in [3, 5, 4] {
      var c = WindowCase(
        channels: (channels, channels), kernel: (kernel, kernel), pads: (1, 1, 1, 1), residual: true)
      let plain = Self.run(StripProblem(kernels, c)).elements
      for act in everyActivation {
        c.act = act
        let output = Self.run(StripProblem(kernels, c))
        #expect(
          output.elements == kernels.activated(plain, act) && output.strayWrites == 0, "\(c.testDescription)")
      }
    }
  }
}
