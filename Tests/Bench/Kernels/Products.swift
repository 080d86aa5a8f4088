import CSepalKernels

/// Matrix products and convolutions as the runtime asks for them, over whole images.
struct Products {
  let kernels: sepal_kernels
  let report: Report

  private func padded(_ channels: Int) -> Int {
    (channels + kernels.vector_width - 1) / kernels.vector_width * kernels.vector_width
  }

  private func packed(_ n: Int, _ depth: Int) -> Floats {
    let source = Floats(n * depth)
    let packed = Floats(kernels.packed_size(n, depth))
    withExtendedLifetime((source, packed)) {
      kernels.pack(packed.base, source.base, n, 1, depth, depth, 0, 1, 0, kernels.panel_count(n))
    }
    return packed
  }

  /// A 1×1 convolution of a blocked image.
  func pointwise(_ size: Int, _ k: Int, _ n: Int) {
    let (pixels, vector) = (size * size, kernels.vector_width)
    let (a, b, c) = (Floats(pixels * padded(k)), packed(n, k), Floats(pixels * padded(n)))
    let bias = Floats(padded(n))
    withExtendedLifetime((a, b, c, bias)) {
      var g = sepal_gemm()
      (g.m, g.n, g.k) = (pixels, n, k)
      (g.a, g.a_pixel, g.a_block) = (a.constant, vector, pixels * vector)
      (g.c, g.c_pixel, g.c_block) = (c.base, vector, pixels * vector)
      (g.b, g.bias) = (b.constant, bias.constant)
      g.row_block = max(96, 192 * 1024 / (k * MemoryLayout<Float>.size))
      g.activation = sepal_activation(kind: SEPAL_ACT_CLAMP, a: 0, b: 6)
      report.line(
        "\(size)×\(size) \(k) → \(n)", operations: 2 * pixels * k * n,
        bytes: a.byteCount + b.byteCount + c.byteCount
      ) {
        kernels.gemm(&g, 0, pixels, 0, kernels.panel_count(n))
      }
    }
  }

  /// A vector times a matrix: a dense layer of one image.
  func dense(_ k: Int, _ n: Int) {
    let vector = kernels.vector_width
    let (a, b, c, bias) = (Floats(k), packed(n, k), Floats(n), Floats(padded(n)))
    withExtendedLifetime((a, b, c, bias)) {
      var g = sepal_gemm()
      (g.m, g.n, g.k) = (1, n, k)
      (g.a, g.a_pixel, g.a_block) = (a.constant, k, vector)
      (g.c, g.c_pixel, g.c_block) = (c.base, n, vector)
      (g.b, g.bias, g.row_block) = (b.constant, bias.constant, 1)
      report.line("\(k) → \(n)", operations: 2 * k * n, bytes: b.byteCount) {
        kernels.gemm(&g, 0, 1, 0, kernels.panel_count(n))
      }
    }
  }

  /// A convolution over rows with their padding in place. Channels below a vector are read plain, as of pictures.
  func convolution(_ size: Int, _ k: Int, _ n: Int, kernel: Int, stride: Int) {
    let vector = kernels.vector_width
    let out = (size + stride - 1) / stride
    let height = (out - 1) * stride + kernel
    let (isPlain, pixel) = (k < vector, k < vector ? k : vector)
    let row = height * pixel
    let input = Floats(height * height * (isPlain ? k : padded(k)))
    let (weights, bias) = (packed(n, kernel * kernel * k), Floats(padded(n)))
    let output = Floats(out * out * padded(n))
    let rows = (0..<out * kernel).map { index in
      Optional(input.constant + (index / kernel * stride + index % kernel) * row)
    }
    let results = (0..<out).map { Optional(output.base + $0 * out * vector) }
    withExtendedLifetime((input, weights, bias, output)) {
      rows.withUnsafeBufferPointer { rows in
        results.withUnsafeBufferPointer { results in
          var w = sepal_convolution()
          (w.out_w, w.n, w.kernel_h, w.row_count) = (out, n, kernel, out)
          (w.taps, w.k) = isPlain ? (1, kernel * k) : (kernel, k)
          (w.tap_step, w.a_pixel) = (pixel, stride * pixel)
          w.a_block = isPlain ? vector : height * row
          (w.c_pixel, w.c_block) = (vector, out * out * vector)
          (w.rows, w.out) = (rows.baseAddress, results.baseAddress)
          (w.weights, w.bias) = (weights.constant, bias.constant)
          w.activation = sepal_activation(kind: SEPAL_ACT_CLAMP, a: 0, b: 6)
          report.line(
            "\(kernel)×\(kernel) s\(stride) \(size)×\(size) \(k) → \(n)",
            operations: 2 * out * out * kernel * kernel * k * n,
            bytes: input.byteCount + weights.byteCount + output.byteCount
          ) {
            kernels.convolve(&w, 0, kernels.panel_count(n))
          }
        }
      }
    }
  }
}
