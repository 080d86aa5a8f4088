import CSepalKernels
import Testing

@Suite struct GemmKernelTests {
  struct Case: CustomTestStringConvertible {
    var m: Int, n: Int, k: Int
    var a = KernelImage.Form.plain
    var c = KernelImage.Form.plain
    var gaps = KernelImage.Gaps.none
    var residual = false
    var rowBlock = 48
    var act = noActivation
    var testDescription: String {
      "\(m)×\(k)×\(n) \(a)→\(c) gaps \(gaps) rows by \(rowBlock), act \(act.kind.rawValue)\(residual ? " +r" : "")"
    }
  }

  /// A case with its operands.
  final class Problem {
    let kernels: Kernels
    let c: Case
    let a: KernelImage, residual: KernelImage
    /// The same for every m.
    let weights, bias: [Float]
    private let packed: [Float]
    let panels: Int

    init(_ kernels: Kernels, _ c: Case, seed: Int = 1) {
      (self.kernels, self.c) = (kernels, c)
      let t = kernels.table
      var random = SplitMix(seed)
      weights = random.floats(c.n * c.k)
      bias = random.floats(c.n) + [Float](repeating: 0, count: t.packed_size(c.n, 1) - c.n)
      a = KernelImage(
        operand: c.a, width: c.m, channels: c.k, vector: t.vector_width, gaps: c.gaps, random: &random)
      // Its block differs from the result's, as images' and rings' do.
      var gaps = c.gaps
      gaps.block += 1
      residual = KernelImage(
        operand: c.c, width: c.m, channels: c.n, vector: t.vector_width, gaps: gaps, random: &random)
      panels = t.panel_count(c.n)
      var packed = [Float](repeating: .nan, count: t.packed_size(c.n, c.k))
      t.pack(&packed, weights, c.n, 1, c.k, c.k, 0, 1, 0, panels)
      self.packed = packed
    }

    /// Runs the pieces between the cuts in the order that `order` makes of them.
    func run(rowCuts: [Int] = [], panelCuts: [Int] = []) -> KernelImage {
      let t = kernels.table
      let output = KernelImage(
        result: c.c, width: c.m, channels: c.n, vector: t.vector_width, gaps: c.gaps)
      let (rows, columns) = ([0] + rowCuts + [c.m], [0] + panelCuts + [panels])
      packed.withUnsafeBufferPointer { packed in
        bias.withUnsafeBufferPointer { bias in
          var g = sepal_gemm(
            m: c.m, n: c.n, k: c.k, a: a.constant(0), a_pixel: a.pixel, a_block: a.block,
            b: packed.baseAddress, bias: bias.baseAddress, residual: c.residual ? residual.constant(0) : nil,
            residual_pixel: residual.pixel, residual_block: residual.block, c: output.pointer(0),
            c_pixel: output.pixel, c_block: output.block, row_block: c.rowBlock, activation: c.act)
          for i in rows.indices.dropLast().reversed() {
            for j in columns.indices.dropLast() {
              t.gemm(&g, rows[i], rows[i + 1], columns[j], columns[j + 1])
            }
          }
        }
      }
      return output
    }

    /// Elements that the exact sums do not explain.
    func failures(_ output: KernelImage) -> Int {
      var failures = output.strayWrites
      for i in 0..<c.m {
        for j in 0..<c.n {
          var exact = ExactSum()
          exact.add(Double(bias[j]))
          for k in 0..<c.k { exact.add(a[0, i, k], times: weights[j * c.k + k]) }
          if c.residual { exact.add(Double(residual[0, i, j])) }
          if !exact.explains(output[0, i, j]) { failures += 1 }
        }
      }
      return failures
    }
  }

  static func failures(_ kernels: Kernels, _ c: Case) -> Int {
    let problem = Problem(kernels, c)
    return problem.failures(problem.run())
  }

  /// Pixels around the height of a tile for `n` columns, and every number that fits in one tile of any shape.
  static func pixels(_ kernels: Kernels, _ n: Int) -> [Int] {
    let tile = kernels.table.tile_pixels(n)
    return Set(Array(1...15) + [tile - 1, tile, tile + 1, 2 * tile + 3]).filter { $0 > 0 }.sorted()
  }

  @Test(
    "equals the exact product at every edge of tile, panel and vector", arguments: runnableKernels,
    KernelImage.Form.allCases)
  func edges(_ kernels: Kernels, _ a: KernelImage.Form) {
    let vector = kernels.table.vector_width
    var index = 0
    for n in kernels.awkwardSizes {
      for m in Self.pixels(kernels, n) {
        for k in [1, vector - 1, vector, vector + 1, 2 * vector + 3] {
          for output in KernelImage.Form.allCases {
            index += 1
            let c = Case(
              m: m, n: n, k: k, a: a, c: output, gaps: index % 3 == 0 ? .some : .none,
              residual: index % 2 == 0, rowBlock: [48, 1, 7][index / 2 % 3])
            #expect(Self.failures(kernels, c) == 0, "\(c.testDescription)")
          }
        }
      }
    }
  }

  @Test("deep products, more pixels than a row block", arguments: runnableKernels)
  func deep(_ kernels: Kernels) {
    for (m, n, k) in [(1, 33, 300), (1, 1, 1000), (50, 17, 129), (97, 40, 64)] {
      for form in KernelImage.Form.allCases {
        let c = Case(m: m, n: n, k: k, a: form, c: form, residual: true, rowBlock: 20)
        #expect(Self.failures(kernels, c) == 0, "\(c.testDescription)")
      }
    }
  }

  @Test("dividing rows and panels anywhere does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    var random = SplitMix(2)
    for m in [1, 2, 5, 49, 100] {
      for (a, c) in [
        (KernelImage.Form.plain, KernelImage.Form.plain), (.blocked, .blocked), (.plain, .blocked),
      ] {
        let problem = Problem(
          kernels,
          Case(
            m: m, n: 3 * kernels.table.panel_width + 5, k: 2 * kernels.table.vector_width + 1, a: a, c: c,
            gaps: .some, residual: true, rowBlock: 31, act: activation(SEPAL_ACT_HARD_SWISH)))
        let whole = problem.run().elements
        for _ in 0..<6 {
          func cuts(_ end: Int) -> [Int] {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 0...end, using: &random) }
              .sorted()
          }
          let (rowCuts, panelCuts) = (cuts(m), cuts(problem.panels))
          let output = problem.run(rowCuts: rowCuts, panelCuts: panelCuts)
          #expect(
            output.elements == whole && output.strayWrites == 0,
            "\(problem.c.testDescription), rows at \(rowCuts), panels at \(panelCuts)")
        }
      }
    }
  }

  @Test("a blocked image has the same bits whole and pixel by pixel", arguments: runnableKernels)
  func singlePixels(_ kernels: Kernels) {
    let (n, k) = (kernels.table.panel_width + 3, 2 * kernels.table.vector_width + 3)
    for act in everyActivation {
      let c = Case(m: 5, n: n, k: k, a: .blocked, c: .blocked, act: act)
      let problem = Problem(kernels, c)
      let whole = problem.run()
      for pixel in 0..<c.m {
        // The pixel as an image of its own, whose blocks follow each other like a matrix's.
        var one = c
        one.m = 1
        let single = Problem(kernels, one)
        for channel in 0..<k { single.a[0, 0, channel] = problem.a[0, pixel, channel] }
        #expect(
          single.run().elements == (0..<n).map { whole[0, pixel, $0] },
          "activation \(act.kind.rawValue), pixel \(pixel)")
      }
    }
  }

  @Test("the activation comes after bias and residual", arguments: runnableKernels)
  func activations(_ kernels: Kernels) {
    let vector = kernels.table.vector_width
    for m in [1, 9] {
      for n in [vector - 1, vector, kernels.table.panel_width + 3] {
        for form in KernelImage.Form.allCases {
          // Plain pixels may be as far apart as blocked ones.
          for gap in Set([0, 1, max(0, vector - n)]) {
            var c = Case(m: m, n: n, k: 9, a: form, c: form, gaps: .init(pixel: gap), residual: true)
            let plain = Problem(kernels, c).run().elements
            for act in everyActivation {
              c.act = act
              let output = Problem(kernels, c).run()
              #expect(
                output.elements == kernels.activated(plain, act) && output.strayWrites == 0,
                "\(c.testDescription)")
            }
          }
        }
      }
    }
  }
}

@Suite struct PeakKernelTests {
  @Test("the loop that measures the peak does what it was asked to", arguments: runnableKernels)
  func operations(_ kernels: Kernels) {
    for operations in [0, 1, 1e6] {
      let done = kernels.table.multiply_adds(operations)
      #expect(done >= operations && done < operations + 1e5)
    }
  }
}
