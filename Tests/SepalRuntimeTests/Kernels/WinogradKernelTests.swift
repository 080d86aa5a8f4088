import CSepalKernels
import Testing

@Suite struct WinogradKernelTests {
  /// One convolution over a batch of images, a row of pixels each, by the three steps.
  final class Problem {
    let kernels: Kernels
    let c: WindowCase
    let tile, batch: Int
    let tiles, matrices: Int
    let input, residual: KernelImage
    let weights, bias: [Float]
    private let packed, paddedBias, zeros: [Float]
    private var vector: Int { kernels.table.vector_width }
    var panels: Int { kernels.table.panel_count(c.channels.output) }
    var inputBlocks: Int { (c.channels.input + vector - 1) / vector }

    init(
      _ kernels: Kernels, _ c: WindowCase, tile: Int, batch: Int = 1, weightRange: ClosedRange<Float> = -1...1
    ) {
      (self.kernels, self.c, self.tile, self.batch) = (kernels, c, tile, batch)
      let t = kernels.table
      let (k, n) = c.channels
      tiles = batch * ((c.out.h + tile - 1) / tile) * ((c.out.w + tile - 1) / tile)
      matrices = (tile + 2) * (tile + 2)
      var random = SplitMix(11)
      let gaps = KernelImage.Gaps(pixel: 0, row: 0, block: 3)
      input = KernelImage(
        operand: .blocked, width: batch * c.size.h * c.size.w, channels: k, vector: t.vector_width,
        gaps: gaps,
        random: &random)
      residual = KernelImage(
        operand: .blocked, width: batch * c.out.h * c.out.w, channels: n, vector: t.vector_width, gaps: gaps,
        random: &random)
      weights = random.floats(n * k * 9, in: weightRange)
      bias = random.floats(n)
      let padded = (n + t.vector_width - 1) / t.vector_width * t.vector_width
      paddedBias = bias + [Float](repeating: 0, count: padded - n)
      zeros = [Float](repeating: 0, count: padded)
      var packed = [Float](repeating: .nan, count: matrices * t.packed_size(n, k))
      for panel in 0..<t.panel_count(n) { t.winograd_pack(&packed, weights, tile, n, k, panel, panel + 1) }
      self.packed = packed
    }

    /// Runs tiles, blocks of the input and panels of the output in the pieces between the cuts.
    func run(tileCuts: [Int] = [], blockCuts: [Int] = [], panelCuts: [Int] = []) -> KernelImage {
      let t = kernels.table
      let (k, n) = c.channels
      let output = KernelImage(
        result: .blocked, width: batch * c.out.h * c.out.w, channels: n, vector: vector,
        gaps: KernelImage.Gaps(pixel: 0, row: 0, block: 3))
      var w = sepal_winograd()
      w.tile = tile
      (w.in_h, w.in_w, w.out_h, w.out_w) = (c.size.h, c.size.w, c.out.h, c.out.w)
      (w.pad_top, w.pad_left) = (c.pads.top, c.pads.left)
      (w.in, w.in_image, w.in_block) = (input.constant(0), c.size.h * c.size.w * vector, input.block)
      (w.out, w.out_image, w.out_block) = (output.pointer(0), c.out.h * c.out.w * vector, output.block)
      w.residual = c.residual ? residual.constant(0) : nil
      w.activation = c.act
      var g = sepal_gemm()
      (g.n, g.k, g.a_pixel, g.c_pixel) = (n, k, vector, vector)
      let tileEnds = [0] + tileCuts + [tiles]
      let blockEnds = [0] + blockCuts + [inputBlocks]
      let panelEnds = [0] + panelCuts + [panels]
      paddedBias.withUnsafeBufferPointer { bias in
        zeros.withUnsafeBufferPointer { zeros in
          (w.bias, g.bias) = (bias.baseAddress, zeros.baseAddress)
          for (begin, end) in zip(tileEnds, tileEnds.dropFirst()) {
            let count = end - begin
            (w.block, g.m, g.row_block) = (count * vector, count, count)
            (g.a_block, g.c_block) = (w.block, w.block)
            // What is between the matrices must stay as it is.
            let inputMatrix = inputBlocks * w.block + 16
            var points = GuardedOutput(matrices * inputMatrix)
            w.matrix = inputMatrix
            for (first, last) in zip(blockEnds, blockEnds.dropFirst()) {
              points.storage.withUnsafeMutableBufferPointer {
                t.winograd_input(&w, $0.address(first * w.block), begin, end, first, last)
              }
            }
            for index in 0..<matrices {
              let gap = (index + 1) * inputMatrix - 16..<(index + 1) * inputMatrix
              #expect(points.storage[gap].allSatisfy { $0 == GuardedOutput.canary })
            }
            #expect(points.marginIsIntact)
            let outputMatrix = t.panel_start(n, panels) * w.block
            var products = GuardedOutput(matrices * outputMatrix)
            for (first, last) in zip(panelEnds, panelEnds.dropFirst()) {
              points.storage.withUnsafeBufferPointer { points in
                products.storage.withUnsafeMutableBufferPointer { products in
                  packed.withUnsafeBufferPointer { packed in
                    for index in 0..<matrices {
                      g.a = points.address(index * inputMatrix)
                      g.b = packed.address(index * t.packed_size(n, k))
                      g.c = products.address(index * outputMatrix)
                      t.gemm(&g, 0, count, first, last)
                    }
                    w.matrix = outputMatrix
                    let (from, to) = (t.panel_start(n, first), t.panel_start(n, last))
                    t.winograd_output(&w, products.address(from * w.block), begin, end, from, to)
                  }
                }
              }
            }
          }
        }
      }
      return output
    }

    /// The result in double precision, by image, row, column and channel.
    func exact() -> [Double] {
      let (k, n) = c.channels
      var result: [Double] = []
      for image in 0..<batch {
        for y in 0..<c.out.h {
          for x in 0..<c.out.w {
            for channel in 0..<n {
              let at = (image * c.out.h + y) * c.out.w + x
              var sum = Double(bias[channel]) + (c.residual ? Double(residual[0, at, channel]) : 0)
              c.forEachTap(y, x) { row, column, tap in
                let pixel = (image * c.size.h + row) * c.size.w + column
                for i in 0..<k {
                  sum += Double(input[0, pixel, i]) * Double(weights[(channel * k + i) * 9 + tap])
                }
              }
              result.append(sum)
            }
          }
        }
      }
      return result
    }

    /// The largest error as a share of the largest result, or of one.
    func error(_ output: KernelImage) -> Double {
      let exact = exact()
      var (worst, scale) = (0.0, 1.0)
      for (want, have) in zip(exact, output.elements) {
        scale = max(scale, abs(want))
        // Not `max`, which would lose a NaN.
        if !(abs(want - Double(have)) <= worst) { worst = abs(want - Double(have)) }
      }
      return worst / scale
    }
  }

  @Test("sizes around the tile, with every padding, are the convolution", arguments: runnableKernels, [2, 4])
  func sizes(_ kernels: Kernels, _ tile: Int) {
    let n = kernels.table.vector_width + 3
    for size in [(1, 3), (3, 1), (4, 4), (5, 6), (6, 5), (7, 10), (9, 8), (13, 41)] {
      for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 1), (0, 1, 2, 0), (3, 7, 5, 2)] {
        let c = WindowCase(size: size, channels: (5, n), pads: pads, residual: pads.0 == 1)
        guard c.isPossible else { continue }
        let problem = Problem(kernels, c, tile: tile, batch: 2)
        let output = problem.run()
        let error = problem.error(output)
        #expect(error <= 4e-6, "tile \(tile) \(c.testDescription): \(error)")
        #expect(output.strayWrites == 0, "tile \(tile) \(c.testDescription)")
      }
    }
  }

  @Test("channel counts around vector and panel", arguments: runnableKernels, [2, 4])
  func channels(_ kernels: Kernels, _ tile: Int) {
    for n in kernels.awkwardSizes {
      for k in [1, kernels.table.vector_width, kernels.table.vector_width + 1, 29] {
        let c = WindowCase(size: (6, 7), channels: (k, n), pads: (1, 1, 1, 1))
        let problem = Problem(kernels, c, tile: tile)
        let error = problem.error(problem.run())
        #expect(error <= 4e-6, "tile \(tile) \(c.testDescription): \(error)")
      }
    }
  }

  @Test("the error is what the runtime states", arguments: runnableKernels)
  func error(_ kernels: Kernels) {
    let c = WindowCase(size: (13, 13), channels: (64, 16), pads: (1, 1, 1, 1))
    for (tile, most) in [(2, 6e-7), (4, 2e-6)] {
      let problem = Problem(kernels, c, tile: tile)
      let error = problem.error(problem.run())
      #expect(error <= most, "tile \(tile): \(error)")
    }
  }

  @Test(
    "dividing tiles, blocks and panels anywhere does not change a bit", arguments: runnableKernels, [2, 4])
  func pieces(_ kernels: Kernels, _ tile: Int) {
    let vector = kernels.table.vector_width
    let c = WindowCase(
      size: (9, 38), channels: (3 * vector - 1, 6 * vector + 1), pads: (1, 1, 1, 1), residual: true,
      act: activation(SEPAL_ACT_HARD_SWISH))
    let problem = Problem(kernels, c, tile: tile, batch: 2)
    let whole = problem.run().elements
    for step in [1, 2, 5, 7, 11, 12] {
      let tileCuts = (1..<problem.tiles).filter { $0 % step == 0 }
      for (blockCuts, panelCuts) in [([], []), ([1], [1]), ([1, 2], Array(1..<problem.panels))] {
        let output = problem.run(tileCuts: tileCuts, blockCuts: blockCuts, panelCuts: panelCuts)
        #expect(
          output.elements == whole && output.strayWrites == 0,
          "tile \(tile), by \(step), blocks at \(blockCuts), panels at \(panelCuts)")
      }
    }
  }

  @Test("the activation comes after bias and residual", arguments: runnableKernels, [2, 4])
  func activations(_ kernels: Kernels, _ tile: Int) {
    for size in [(8, 8), (5, 7)] {
      var c = WindowCase(size: size, channels: (9, 2 * kernels.table.vector_width), residual: true)
      let plain = Problem(kernels, c, tile: tile).run().elements
      for act in everyActivation {
        c.act = act
        let output = Problem(kernels, c, tile: tile).run()
        #expect(
          output.elements == kernels.activated(plain, act) && output.strayWrites == 0,
          "tile \(tile) \(c.testDescription)")
      }
    }
  }

  @Test("kernels at the points are rounded once and packed as matrices", arguments: runnableKernels)
  func packing(_ kernels: Kernels) {
    let t = kernels.table
    let finitePoints: [(tile: Int, points: [Double])] = [
      (2, [0, 1, -1]), (4, [0, 0.625, -0.625, 1.5, -1.5]),
    ]
    for n in kernels.awkwardSizes {
      for k in [1, 3, 4, 9] {
        var random = SplitMix(n)
        let weights = random.floats(n * k * 9)
        for (tile, points) in finitePoints {
          let patch = tile + 2
          var rows = points.map { (p: Double) -> [Double] in
            let distances = points.filter { $0 != p }.reduce(1.0) { (product: Double, q: Double) in
              product * (p - q)
            }
            return [1 / distances, p / distances, p * p / distances]
          }
          rows.append([0, 0, 1])
          let size = t.packed_size(n, k)
          var packed = GuardedOutput(patch * patch * size)
          t.winograd_pack(&packed.storage, weights, tile, n, k, 0, t.panel_count(n))
          #expect(packed.marginIsIntact)
          for index in 0..<patch * patch {
            let (a, b) = (rows[index / patch], rows[index % patch])
            let matrix = (0..<n * k).map { (pair: Int) -> Float in
              var sum = 0.0
              for tap in 0..<9 { sum += a[tap / 3] * b[tap % 3] * Double(weights[pair * 9 + tap]) }
              return Float(sum)
            }
            var expected = [Float](repeating: .nan, count: size)
            t.pack(&expected, matrix, n, 1, k, k, 0, 1, 0, t.panel_count(n))
            let isSame = zip(packed.storage[index * size..<(index + 1) * size], expected).allSatisfy {
              abs($0 - $1) <= 0x1p-23 * abs($1)
            }
            #expect(isSame, "\(n) × \(k), tile \(tile), matrix \(index)")
          }
        }
      }
    }
  }
}
