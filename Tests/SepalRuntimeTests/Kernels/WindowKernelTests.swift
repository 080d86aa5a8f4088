import CSepalKernels
import Testing

/// One sliding-window problem, with the obvious reference.
struct WindowCase: CustomTestStringConvertible {
  var batch = 1
  var size = (h: 9, w: 8)
  var channels = (input: 3, output: 5)
  var groups = 1
  var kernel = (h: 3, w: 3)
  var stride = (h: 1, w: 1)
  var dilation = (h: 1, w: 1)
  var pads = (top: 0, left: 0, bottom: 0, right: 0)
  var residual = false
  var padding = 0

  var out: (h: Int, w: Int) {
    (
      (size.h + pads.top + pads.bottom - dilation.h * (kernel.h - 1) - 1) / stride.h + 1,
      (size.w + pads.left + pads.right - dilation.w * (kernel.w - 1) - 1) / stride.w + 1
    )
  }
  var isPossible: Bool {
    size.h + pads.top + pads.bottom > dilation.h * (kernel.h - 1)
      && size.w + pads.left + pads.right > dilation.w * (kernel.w - 1)
  }
  var inStride: Int { channels.input + padding }
  var outStride: Int { channels.output + padding }
  var outPixels: Int { batch * out.h * out.w }

  var testDescription: String {
    "n\(batch) \(size.h)×\(size.w)×\(channels.input)→\(channels.output) g\(groups) k\(kernel.h)×\(kernel.w)"
      + " s\(stride.h),\(stride.w) d\(dilation.h),\(dilation.w) p\(pads)\(residual ? " +r" : "")"
  }

  /// Calls `body` for each input value under the window at (n, y, x), with its kernel position.
  func forEachTap(_ n: Int, _ y: Int, _ x: Int, _ body: (_ pixel: Int, _ tap: Int) -> Void) {
    for ky in 0..<kernel.h {
      for kx in 0..<kernel.w {
        let iy = y * stride.h - pads.top + ky * dilation.h
        let ix = x * stride.w - pads.left + kx * dilation.w
        guard (0..<size.h).contains(iy), (0..<size.w).contains(ix) else { continue }
        body((n * size.h + iy) * size.w + ix, ky * kernel.w + kx)
      }
    }
  }

  func forEachOutput(_ body: (_ n: Int, _ y: Int, _ x: Int, _ pixel: Int) -> Void) {
    for n in 0..<batch {
      for y in 0..<out.h {
        for x in 0..<out.w { body(n, y, x, (n * out.h + y) * out.w + x) }
      }
    }
  }

  func withWindow<R>(
    input: [Float], weights: [Float], bias: [Float], residual: [Float], output: inout GuardedOutput,
    _ body: (inout sepal_window) -> R
  ) -> R? {
    let zeros = [Float](repeating: 0, count: channels.input + 16)
    return input.withUnsafeBufferPointer { input in
      weights.withUnsafeBufferPointer { weights in
        bias.withUnsafeBufferPointer { bias in
          residual.withUnsafeBufferPointer { residual in
            zeros.withUnsafeBufferPointer { zeros in
              output.storage.withUnsafeMutableBufferPointer { output -> R? in
                guard let input = input.baseAddress, let zeros = zeros.baseAddress,
                  let output = output.baseAddress
                else { return nil }
                var w = sepal_window()
                w.batch = batch
                (w.in_h, w.in_w, w.in_c) = (size.h, size.w, channels.input)
                (w.out_h, w.out_w, w.out_c) = (out.h, out.w, channels.output)
                w.groups = groups
                (w.kernel_h, w.kernel_w) = kernel
                (w.stride_h, w.stride_w) = stride
                (w.dilation_h, w.dilation_w) = dilation
                (w.pad_top, w.pad_left) = (pads.top, pads.left)
                (w.input, w.in_stride) = (input, inStride)
                (w.weights, w.bias) = (weights.baseAddress, bias.baseAddress)
                w.residual = self.residual ? residual.baseAddress : nil
                w.residual_stride = channels.output
                (w.output, w.out_stride) = (output, outStride)
                w.zeros = zeros
                w.activation = noActivation
                return body(&w)
              }
            }
          }
        }
      }
    }
  }

  /// The number of output values that the exact sums do not explain, and of values written out of place.
  func failures(_ output: GuardedOutput, _ exact: [ExactSum]) -> Int {
    var failures = output.marginIsIntact ? 0 : 1
    for p in 0..<outPixels {
      for c in 0..<channels.output {
        if !exact[p * channels.output + c].explains(output.storage[p * outStride + c]) { failures += 1 }
      }
      for c in channels.output..<outStride
      where output.storage[p * outStride + c] != GuardedOutput.canary { failures += 1 }
    }
    return failures
  }
}

@Suite struct ConvolutionKernelTests {
  static func run(_ kernels: Kernels, _ c: WindowCase, pieces: Int = 1) -> (GuardedOutput, [ExactSum]) {
    let t = kernels.table
    var random = SplitMix(7)
    let (groupIn, groupOut) = (c.channels.input / c.groups, c.channels.output / c.groups)
    let taps = c.kernel.h * c.kernel.w
    let input = random.floats(c.batch * c.size.h * c.size.w * c.inStride)
    let weights = random.floats(c.channels.output * groupIn * taps)  // OIHW
    let bias = random.floats(c.channels.output)
    let residual = random.floats(c.outPixels * c.channels.output)

    let packedSize = t.packed_size(groupOut, taps * groupIn)
    let paddedOut = t.packed_size(groupOut, 1)
    var packed = [Float](repeating: .nan, count: c.groups * packedSize)
    var paddedBias = [Float](repeating: 0, count: c.groups * paddedOut)
    for g in 0..<c.groups {
      packed.withUnsafeMutableBufferPointer { packed in
        weights.withUnsafeBufferPointer { weights in
          guard let dst = packed.baseAddress, let src = weights.baseAddress else { return }
          t.pack(
            dst + g * packedSize, src + g * groupOut * groupIn * taps, groupOut, taps, groupIn,
            groupIn * taps, 1, taps, 0, t.panel_count(groupOut))
        }
      }
      for j in 0..<groupOut { paddedBias[g * paddedOut + j] = bias[g * groupOut + j] }
    }

    var exact = [ExactSum](repeating: ExactSum(), count: c.outPixels * c.channels.output)
    c.forEachOutput { n, y, x, pixel in
      for o in 0..<c.channels.output {
        var sum = ExactSum()
        sum.add(Double(bias[o]))
        c.forEachTap(n, y, x) { from, tap in
          for i in 0..<groupIn {
            let value = input[from * c.inStride + o / groupOut * groupIn + i]
            sum.add(Double(value) * Double(weights[(o * groupIn + i) * taps + tap]))
          }
        }
        if c.residual { sum.add(Double(residual[pixel * c.channels.output + o])) }
        exact[pixel * c.channels.output + o] = sum
      }
    }

    var output = GuardedOutput(c.outPixels * c.outStride)
    _ = c.withWindow(
      input: input, weights: packed, bias: paddedBias, residual: residual, output: &output
    ) { w in
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: t.convolve_scratch(&w), alignment: 64)
      defer { scratch.deallocate() }
      for i in 0..<pieces {
        t.convolve(&w, c.outPixels * i / pieces, c.outPixels * (i + 1) / pieces, scratch)
      }
    }
    return (output, exact)
  }

  static func check(_ kernels: Kernels, _ c: WindowCase) {
    guard c.isPossible else { return }
    let (output, exact) = run(kernels, c)
    #expect(c.failures(output, exact) == 0, "\(c.testDescription)")
  }

  @Test("every kernel, stride, dilation and padding", arguments: runnableKernels)
  func geometry(_ kernels: Kernels) {
    for kernel in [(1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (3, 2)] {
      for stride in 1...3 {
        for dilation in 1...2 {
          for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 1, 0), (3, 3, 3, 3)] {
            for channels in [(3, 5), (17, 4)] {
              Self.check(
                kernels,
                WindowCase(
                  channels: channels, kernel: kernel, stride: (stride, stride),
                  dilation: (dilation, dilation), pads: pads))
            }
          }
        }
      }
    }
  }

  @Test(
    "channel counts around the vector and the panel, more pixels than a block", arguments: runnableKernels)
  func channels(_ kernels: Kernels) {
    for output in kernels.awkwardSizes {
      for input in [1, 4, 18] {
        Self.check(
          kernels,
          WindowCase(
            batch: 2, size: (11, 13), channels: (input, output), stride: (1, 2), pads: (1, 1, 1, 1),
            residual: true, padding: 3))
      }
    }
  }

  @Test("groups of every width", arguments: runnableKernels)
  func groups(_ kernels: Kernels) {
    for (groups, channels) in [(2, (4, 6)), (3, (9, 3)), (4, (8, 36)), (5, (5, 10)), (2, (34, 20))] {
      for padding in [0, 2] {
        Self.check(
          kernels,
          WindowCase(
            batch: 2, channels: channels, groups: groups, stride: (2, 1), pads: (0, 1, 1, 2),
            residual: true, padding: padding))
      }
    }
  }

  @Test("dividing the pixels does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    let c = WindowCase(batch: 2, size: (14, 15), channels: (3, 21), pads: (1, 1, 1, 1))
    let whole = Self.run(kernels, c).0.storage
    for pieces in [2, 3, 11] { #expect(Self.run(kernels, c, pieces: pieces).0.storage == whole) }
  }
}

@Suite struct DepthwiseKernelTests {
  static func run(_ kernels: Kernels, _ c: WindowCase, pieces: Int = 1) -> (GuardedOutput, [ExactSum]) {
    let t = kernels.table
    var random = SplitMix(9)
    let channels = c.channels.input
    let taps = c.kernel.h * c.kernel.w
    let input = random.floats(c.batch * c.size.h * c.size.w * c.inStride)
    let weights = random.floats(taps * channels)
    let bias = random.floats(channels)
    let residual = random.floats(c.outPixels * channels)
    var exact = [ExactSum](repeating: ExactSum(), count: c.outPixels * channels)
    c.forEachOutput { n, y, x, pixel in
      for ch in 0..<channels {
        var sum = ExactSum()
        sum.add(Double(bias[ch]))
        c.forEachTap(n, y, x) { from, tap in
          sum.add(Double(input[from * c.inStride + ch]) * Double(weights[tap * channels + ch]))
        }
        if c.residual { sum.add(Double(residual[pixel * channels + ch])) }
        exact[pixel * channels + ch] = sum
      }
    }
    var output = GuardedOutput(c.outPixels * c.outStride)
    _ = c.withWindow(input: input, weights: weights, bias: bias, residual: residual, output: &output) { w in
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: t.depthwise_scratch(&w), alignment: 64)
      defer { scratch.deallocate() }
      let rows = c.batch * c.out.h
      for i in 0..<pieces { t.depthwise(&w, rows * i / pieces, rows * (i + 1) / pieces, scratch) }
    }
    return (output, exact)
  }

  static func check(_ kernels: Kernels, _ c: WindowCase) {
    guard c.isPossible else { return }
    let (output, exact) = run(kernels, c)
    #expect(c.failures(output, exact) == 0, "\(c.testDescription)")
  }

  @Test("every kernel, stride, dilation and padding", arguments: runnableKernels)
  func geometry(_ kernels: Kernels) {
    let width = kernels.table.vector_width
    for kernel in [(1, 1), (3, 3), (5, 5), (7, 7), (3, 5)] {
      for stride in 1...3 {
        for dilation in 1...2 {
          for pads in [(0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 1, 0), (2, 2, 2, 2), (3, 3, 3, 3)] {
            for channels in [width - 1, width + 3] {
              Self.check(
                kernels,
                WindowCase(
                  channels: (channels, channels), kernel: kernel, stride: (stride, stride),
                  dilation: (dilation, dilation), pads: pads))
            }
          }
        }
      }
    }
  }

  @Test("channel counts and widths around the vector and the stretch", arguments: runnableKernels)
  func sizes(_ kernels: Kernels) {
    for channels in kernels.awkwardSizes + [300] {
      for width in [1, 2, 3, 4, 5, 7, 21] {
        for stride in 1...2 {
          for kernel in [3, 5] {
            Self.check(
              kernels,
              WindowCase(
                batch: 2, size: (6, width), channels: (channels, channels), kernel: (kernel, kernel),
                stride: (stride, stride), pads: (1, 2, 2, 2), residual: true, padding: 3))
          }
        }
      }
    }
  }

  @Test("dividing the rows does not change a bit", arguments: runnableKernels)
  func pieces(_ kernels: Kernels) {
    let c = WindowCase(batch: 2, size: (13, 14), channels: (19, 19), pads: (1, 1, 1, 1))
    let whole = Self.run(kernels, c).0.storage
    for pieces in [2, 5, 26] { #expect(Self.run(kernels, c, pieces: pieces).0.storage == whole) }
  }
}
