import CSepalKernels
import Testing

@Suite struct GemmKernelTests {
  struct Case {
    var m: Int, n: Int, k: Int
    var residual = false
    var rowBlock = 48
    var kBlock = Int.max
    var padding = 0  // floats between rows beyond what they hold
    var act = noActivation
  }

  /// Runs a case in pieces cut at `rowCuts` and `panelCuts`, and returns its output.
  static func run(_ kernels: Kernels, _ c: Case, seed: Int = 1, pieces: Int = 1) -> (
    output: GuardedOutput, exact: [ExactSum], stride: Int
  ) {
    let t = kernels.table
    var random = SplitMix(seed)
    let aStride = c.k + c.padding
    let cStride = c.n + c.padding
    let a = random.floats(c.m * aStride)
    let weights = random.floats(c.n * c.k)
    var bias = random.floats(c.n)
    let residual = random.floats(c.m * c.n)
    var exact = [ExactSum](repeating: ExactSum(), count: c.m * c.n)
    for i in 0..<c.m {
      for j in 0..<c.n {
        exact[i * c.n + j].add(Double(bias[j]))
        for k in 0..<c.k {
          exact[i * c.n + j].add(Double(a[i * aStride + k]) * Double(weights[j * c.k + k]))
        }
        if c.residual { exact[i * c.n + j].add(Double(residual[i * c.n + j])) }
      }
    }
    bias += Array(repeating: 0, count: t.vector_width)
    let panels = t.panel_count(c.n)
    var packed = [Float](repeating: .nan, count: t.packed_size(c.n, c.k))
    t.pack(&packed, weights, c.n, 1, c.k, c.k, 0, 1, 0, panels)
    var output = GuardedOutput(c.m * cStride)
    a.withUnsafeBufferPointer { a in
      packed.withUnsafeBufferPointer { packed in
        bias.withUnsafeBufferPointer { bias in
          residual.withUnsafeBufferPointer { residual in
            output.storage.withUnsafeMutableBufferPointer { out in
              guard let a = a.baseAddress, let b = packed.baseAddress, let bias = bias.baseAddress,
                let out = out.baseAddress
              else { return }
              var g = sepal_gemm(
                m: c.m, n: c.n, k: c.k, a: a, a_stride: aStride, b: b, bias: bias,
                residual: c.residual ? residual.baseAddress : nil, residual_stride: c.n, c: out,
                c_stride: cStride, row_block: c.rowBlock, k_block: c.kBlock, activation: c.act)
              for i in 0..<pieces {
                for j in 0..<pieces {
                  t.gemm(
                    &g, c.m * i / pieces, c.m * (i + 1) / pieces, panels * j / pieces,
                    panels * (j + 1) / pieces)
                }
              }
            }
          }
        }
      }
    }
    return (output, exact, cStride)
  }

  static func failures(_ kernels: Kernels, _ c: Case) -> Int {
    let (output, exact, stride) = run(kernels, c)
    var failures = output.marginIsIntact ? 0 : 1
    for i in 0..<c.m {
      for j in 0..<c.n where !exact[i * c.n + j].explains(output.storage[i * stride + j]) { failures += 1 }
      for j in c.n..<stride where output.storage[i * stride + j] != GuardedOutput.canary { failures += 1 }
    }
    return failures
  }

  @Test("equals the exact product at every tile edge", arguments: runnableKernels)
  func edges(_ kernels: Kernels) {
    for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 19, 27] {
      for n in kernels.awkwardSizes {
        for k in [1, 3, 4, 5, 8, 19] {
          let c = Case(m: m, n: n, k: k)
          #expect(Self.failures(kernels, c) == 0, "\(m)×\(n)×\(k)")
        }
      }
    }
  }

  @Test("residual, row strides, row blocks and depth blocks change nothing", arguments: runnableKernels)
  func options(_ kernels: Kernels) {
    for m in [1, 7, 50] {
      for n in kernels.awkwardSizes {
        let c = Case(m: m, n: n, k: 37, residual: true, rowBlock: 10, kBlock: 8, padding: 5)
        #expect(Self.failures(kernels, c) == 0, "\(m)×\(n)")
      }
    }
  }

  @Test("dividing the work does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    for m in [1, 5, 49, 100] {
      let c = Case(m: m, n: 3 * kernels.table.panel_width + 5, k: 33, residual: true)
      let whole = Self.run(kernels, c).output.storage
      for pieces in [2, 3, 7] {
        #expect(Self.run(kernels, c, pieces: pieces).output.storage == whole, "m \(m), \(pieces) pieces")
      }
    }
  }

  @Test("the activation comes after bias and residual", arguments: runnableKernels)
  func activations(_ kernels: Kernels) {
    for m in [1, 9] {
      var c = Case(m: m, n: kernels.table.panel_width + 3, k: 9, residual: true)
      let plain = Self.run(kernels, c).output.values
      c.act = activation(SEPAL_ACT_CLAMP, -0.25, 0.5)
      #expect(Array(Self.run(kernels, c).output.values) == plain.map { min(0.5, max(-0.25, $0)) })
      c.act = activation(SEPAL_ACT_LEAKY_RELU, 0.125)
      #expect(Array(Self.run(kernels, c).output.values) == plain.map { $0 < 0 ? 0.125 * $0 : $0 })
    }
  }
}
