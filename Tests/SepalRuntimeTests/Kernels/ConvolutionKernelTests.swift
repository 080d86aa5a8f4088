import CSepalKernels
import Testing

@Suite struct ConvolutionKernelTests {
  /// How the operands of a convolution are arranged.
  enum Arrangement: CaseIterable {
    /// Plain rows; with one group and no dilation along them, a row of the kernel is one tap.
    case plain, merged
    /// Pictures: plain rows, or rows of each channel by itself; blocked result.
    case first, planar
    case blocked

    var input: KernelImage.Form { self == .blocked ? .blocked : .plain }
    var output: KernelImage.Form { self == .plain || self == .merged ? .plain : .blocked }

    func suits(_ c: WindowCase, vector: Int) -> Bool {
      let (k, n) = (c.channels.input / c.groups, c.channels.output / c.groups)
      return switch self {
      case .plain: true
      case .merged: c.groups == 1 && c.dilation.w == 1
      case .first: c.groups == 1
      case .planar:
        c.groups == 1 && c.dilation.w == 1 && c.channels.input * c.kernel.h <= SEPAL_KERNEL_ROWS
      case .blocked: c.groups == 1 || k % vector == 0 && n % vector == 0
      }
    }
  }

  final class Problem {
    let kernels: Kernels
    let c: WindowCase
    let arrangement: Arrangement
    /// Rows with their padding, and behind them one of zeros. Planar ones follow each other channel by channel.
    let input: KernelImage
    let residual: KernelImage
    let weights, bias: [Float]
    private let packed, paddedBias: [Float]
    let panels: Int

    init(_ kernels: Kernels, _ c: WindowCase, _ arrangement: Arrangement) {
      (self.kernels, self.c, self.arrangement) = (kernels, c, arrangement)
      let t = kernels.table
      let vector = t.vector_width
      var random = SplitMix(7)
      // Pixels that a merged tap reads across follow each other.
      let inputGaps = KernelImage.Gaps(pixel: arrangement == .plain ? c.gaps.pixel : 0, row: 1, block: 1)
      let isPlanar = arrangement == .planar
      input = KernelImage(
        arrangement.input, rows: (c.size.h + 1) * (isPlanar ? c.channels.input : 1), width: c.paddedWidth,
        channels: isPlanar ? 1 : c.channels.input, vector: vector, gaps: inputGaps, filler: .nan)
      for y in 0...c.size.h {
        for x in 0..<c.paddedWidth {
          let isInside = y < c.size.h && (0..<c.size.w).contains(x - c.pads.left)
          for channel in 0..<c.channels.input {
            let value = isInside ? Float.random(in: -1...1, using: &random) : 0
            input[isPlanar ? channel * (c.size.h + 1) + y : y, x, isPlanar ? 0 : channel] = value
          }
        }
      }
      var gaps = c.gaps
      gaps.block += 1
      gaps.row += 1
      residual = KernelImage(
        operand: arrangement.output, rows: c.out.h, width: c.out.w, channels: c.channels.output,
        vector: vector, gaps: gaps, random: &random)
      let (k, n, taps) = (
        c.channels.input / c.groups, c.channels.output / c.groups, c.kernel.h * c.kernel.w
      )
      weights = random.floats(c.channels.output * k * taps)  // OIHW
      bias = random.floats(c.channels.output)
      let (size, padded) = (t.packed_size(n, taps * k), t.packed_size(n, 1))
      var (packed, paddedBias): ([Float], [Float]) = ([], [])
      for group in 0..<c.groups {
        var part = [Float](repeating: .nan, count: size)
        let source = Array(weights[group * n * k * taps..<(group + 1) * n * k * taps])
        if isPlanar {
          t.pack(&part, source, n, 1, k * taps, k * taps, 0, 1, 0, t.panel_count(n))
        } else {
          t.pack(&part, source, n, taps, k, k * taps, 1, taps, 0, t.panel_count(n))
        }
        packed += part
        paddedBias += bias[group * n..<(group + 1) * n] + [Float](repeating: 0, count: padded - n)
      }
      (self.packed, self.paddedBias) = (packed, paddedBias)
      panels = c.groups * t.panel_count(n)
    }

    /// Row `y` of a channel.
    private func row(_ y: Int, _ channel: Int) -> Int {
      arrangement == .planar ? channel * (c.size.h + 1) + y : y
    }

    /// The rows under output row `y`, in the order of the weights.
    private func rows(under y: Int) -> [UnsafePointer<Float>?] {
      (0..<(arrangement == .planar ? c.channels.input : 1)).flatMap { channel in
        (0..<c.kernel.h).map { ky in input.constant(row(c.inputRow(y, ky) ?? c.size.h, channel)) }
      }
    }

    func run(rowCuts: [Int] = [], panelCuts: [Int] = []) -> KernelImage {
      let vector = kernels.table.vector_width
      let output = KernelImage(
        result: arrangement.output, rows: c.out.h, width: c.out.w, channels: c.channels.output,
        vector: vector, gaps: c.gaps)
      let (k, n) = (c.channels.input / c.groups, c.channels.output / c.groups)
      var w = sepal_convolution()
      (w.out_w, w.n, w.kernel_h) = (c.out.w, n, c.kernel.h)
      switch arrangement {
      case .merged: (w.taps, w.k) = (1, c.kernel.w * k)
      case .planar: (w.kernel_h, w.taps, w.k) = (k * c.kernel.h, 1, c.kernel.w)
      default: (w.taps, w.k) = (c.kernel.w, k)
      }
      (w.tap_step, w.a_pixel) = (c.dilation.w * input.pixel, c.stride.w * input.pixel)
      w.a_block = input.block
      w.a_group = arrangement.input == .blocked ? k / vector * input.block : k
      (w.c_pixel, w.c_block) = (output.pixel, output.block)
      w.c_group = arrangement.output == .blocked ? n / vector * output.block : n
      w.residual_block = residual.block
      w.residual_group = arrangement.output == .blocked ? n / vector * residual.block : n
      w.activation = c.act
      let (rowEnds, panelEnds) = ([0] + rowCuts + [c.out.h], [0] + panelCuts + [panels])
      for (begin, end) in zip(rowEnds, rowEnds.dropFirst()) {
        let rows = (begin..<end).flatMap { self.rows(under: $0) }
        let out = (begin..<end).map { Optional(output.pointer($0)) }
        let added = (begin..<end).map { Optional(residual.constant($0)) }
        w.row_count = end - begin
        rows.withUnsafeBufferPointer { rows in
          out.withUnsafeBufferPointer { out in
            added.withUnsafeBufferPointer { added in
              packed.withUnsafeBufferPointer { packed in
                paddedBias.withUnsafeBufferPointer { bias in
                  (w.rows, w.out) = (rows.baseAddress, out.baseAddress)
                  w.residual = c.residual ? added.baseAddress : nil
                  (w.weights, w.bias) = (packed.baseAddress, bias.baseAddress)
                  for (first, last) in zip(panelEnds, panelEnds.dropFirst()) {
                    kernels.table.convolve(&w, first, last)
                  }
                }
              }
            }
          }
        }
      }
      return output
    }

    func exact(_ y: Int, _ x: Int, _ o: Int) -> ExactSum {
      let (k, n, taps) = (
        c.channels.input / c.groups, c.channels.output / c.groups, c.kernel.h * c.kernel.w
      )
      var sum = ExactSum()
      sum.add(Double(bias[o]))
      c.forEachTap(y, x) { row, column, tap in
        for i in 0..<k {
          let value =
            arrangement == .planar
            ? input[self.row(row, i), column + c.pads.left, 0]
            : input[row, column + c.pads.left, o / n * k + i]
          sum.add(value, times: weights[(o * k + i) * taps + tap])
        }
      }
      if c.residual { sum.add(Double(residual[y, x, o])) }
      return sum
    }
  }

  static func check(_ kernels: Kernels, _ c: WindowCase) {
    guard c.isPossible else { return }
    for arrangement in Arrangement.allCases
    where arrangement.suits(c, vector: kernels.table.vector_width) {
      let problem = Problem(kernels, c, arrangement)
      #expect(c.failures(problem.run(), problem.exact) == 0, "\(arrangement) \(c.testDescription)")
    }
  }

  @Test("every kernel, stride, dilation and padding", arguments: runnableKernels)
  func geometry(_ kernels: Kernels) {
    var index = 0
    for kernel in [(1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (3, 2), (8, 1)] {
      for stride in [(1, 1), (2, 2), (3, 3), (1, 2)] {
        for dilation in [(1, 1), (2, 2), (3, 1)] {
          for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 1, 0), (3, 3, 3, 3), (0, 11, 12, 0)] {
            index += 1
            Self.check(
              kernels,
              WindowCase(
                channels: [(3, 5), (17, 4)][index % 2], kernel: kernel, stride: stride, dilation: dilation,
                pads: pads, residual: index % 3 == 0))
          }
        }
      }
    }
  }

  @Test("channel counts around vector and panel, rows around the tiles", arguments: runnableKernels)
  func channels(_ kernels: Kernels) {
    for output in kernels.awkwardSizes {
      for input in [1, 4, kernels.table.vector_width, 18] {
        for width in [1, 2, 5, 13, 29] {
          Self.check(
            kernels,
            WindowCase(
              size: (3, width), channels: (input, output), stride: (1, 1 + width % 2), pads: (1, 1, 1, 1),
              residual: width != 5, gaps: width == 2 ? .none : .some))
        }
      }
    }
  }

  @Test("groups of every width, whole blocks and parts of blocks", arguments: runnableKernels)
  func groups(_ kernels: Kernels) {
    let vector = kernels.table.vector_width
    for (groups, channels) in [
      (2, (4, 6)), (3, (9, 3)), (4, (8, 36)), (5, (5, 10)), (2, (34, 20)), (vector, (vector, 2 * vector)),
      (2, (2 * vector, 4 * vector)), (3, (6 * vector, 9 * vector)),
    ] {
      for gaps in [KernelImage.Gaps.none, .some] {
        Self.check(
          kernels,
          WindowCase(
            channels: channels, groups: groups, stride: (2, 1), pads: (0, 1, 1, 2), residual: true,
            gaps: gaps))
      }
    }
  }

  @Test("kernels as high as kernels may be", arguments: runnableKernels)
  func highKernels(_ kernels: Kernels) {
    let height = SEPAL_KERNEL_ROWS
    Self.check(kernels, WindowCase(size: (height + 2, 3), kernel: (height, 2), pads: (1, 0, 1, 0)))
  }

  @Test("dividing rows and panels anywhere does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    let vector = kernels.table.vector_width
    for (groups, channels) in [(1, (3, 5 * vector + 1)), (3, (9, 3 * vector)), (2, (2 * vector, 8 * vector))]
    {
      let c = WindowCase(
        size: (14, 15), channels: channels, groups: groups, pads: (1, 1, 1, 1), residual: true,
        act: activation(SEPAL_ACT_HARD_SWISH))
      for arrangement in Arrangement.allCases where arrangement.suits(c, vector: vector) {
        let problem = Problem(kernels, c, arrangement)
        let whole = problem.run().elements
        for strip in 1...4 {
          let rowCuts = c.rowCuts(every: strip)
          for panelCuts in [[], [1], Array(1..<problem.panels)]
          where panelCuts.allSatisfy({ $0 <= problem.panels }) {
            let output = problem.run(rowCuts: rowCuts, panelCuts: panelCuts)
            #expect(
              output.elements == whole && output.strayWrites == 0,
              "\(arrangement) \(c.testDescription), rows by \(strip), panels at \(panelCuts)")
          }
        }
      }
    }
  }

  @Test("the activation comes after bias and residual", arguments: runnableKernels)
  func activations(_ kernels: Kernels) {
    let vector = kernels.table.vector_width
    for (groups, channels) in [
      (1, (3, vector - 1)), (1, (5, 2 * vector)), (1, (vector, 3 * vector + 1)),
      // Groups whose pixels are as far apart as blocked ones.
      (2, (2, vector)), (vector, (vector, vector)),
    ] {
      for size in [(3, 3), (4, 9)] {
        var c = WindowCase(size: size, channels: channels, groups: groups, residual: true, gaps: .none)
        for arrangement in Arrangement.allCases where arrangement.suits(c, vector: vector) {
          c.act = noActivation
          let plain = Problem(kernels, c, arrangement).run().elements
          for act in everyActivation {
            c.act = act
            let output = Problem(kernels, c, arrangement).run()
            #expect(
              output.elements == kernels.activated(plain, act) && output.strayWrites == 0,
              "\(arrangement) \(c.testDescription)")
          }
        }
      }
    }
  }
}
