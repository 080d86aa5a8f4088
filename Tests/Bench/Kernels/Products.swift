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

  /// A 3×3 convolution with stride 1 in tiles; operations count as those of the sum over taps.
  func winograd(_ size: Int, _ k: Int, _ n: Int, tile: Int) {
    let vector = kernels.vector_width
    let (across, matrices) = ((size + tile - 1) / tile, (tile + 2) * (tile + 2))
    let (tiles, matrix) = (across * across, kernels.packed_size(n, k))
    let (input, output) = (Floats(size * size * padded(k)), Floats(size * size * padded(n)))
    let (source, weights) = (Floats(9 * k * n), Floats(matrices * matrix))
    kernels.winograd_pack(weights.base, source.constant, tile, n, k, 0, kernels.panel_count(n))
    // Matrices are an odd number of cache lines apart.
    let inputMatrix = (tiles * padded(k) / 16 | 1) * 16 + 32
    let outputMatrix = (tiles * padded(n) / 16 | 1) * 16 + 32
    let (inputs, outputs) = (Floats(matrices * inputMatrix), Floats(matrices * outputMatrix))
    let bias = Floats(padded(n), zero: true)
    withExtendedLifetime((input, output, source, weights, inputs, outputs, bias)) {
      var w = sepal_winograd()
      (w.tile, w.in_h, w.in_w, w.out_h, w.out_w) = (tile, size, size, size, size)
      (w.pad_top, w.pad_left) = (1, 1)
      (w.in, w.in_block) = (input.constant, size * size * vector)
      (w.out, w.out_block, w.bias) = (output.base, size * size * vector, bias.constant)
      w.block = tiles * vector
      w.activation = sepal_activation(kind: SEPAL_ACT_CLAMP, a: 0, b: 6)
      var g = sepal_gemm()
      (g.m, g.n, g.k, g.row_block) = (tiles, n, k, tiles)
      (g.a_pixel, g.a_block, g.c_pixel, g.c_block) = (vector, w.block, vector, w.block)
      g.bias = bias.constant
      report.line(
        "\(tile)×\(tile), \(size)×\(size) \(k) → \(n)", operations: 2 * size * size * 9 * k * n,
        bytes: input.byteCount + weights.byteCount + output.byteCount
      ) {
        w.matrix = inputMatrix
        kernels.winograd_input(&w, inputs.base, 0, tiles, 0, padded(k) / vector)
        for index in 0..<matrices {
          g.a = inputs.constant + index * inputMatrix
          g.b = weights.constant + index * matrix
          g.c = outputs.base + index * outputMatrix
          kernels.gemm(&g, 0, tiles, 0, kernels.panel_count(n))
        }
        w.matrix = outputMatrix
        kernels.winograd_output(&w, outputs.constant, 0, tiles, 0, padded(n) / vector)
      }
    }
  }
}
