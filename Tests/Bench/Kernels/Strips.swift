import CSepalKernels

/// Kernels over the channels of a blocked image one by one.
struct Strips {
  enum Kind { case depthwise, maxPool, averagePool }

  let kernels: sepal_kernels
  let report: Report

  /// A square image and window, padded to the size divided by the stride.
  func run(_ kind: Kind, _ size: Int, _ channels: Int, kernel: Int, stride: Int) {
    let vector = kernels.vector_width
    let blocks = (channels + vector - 1) / vector
    let out = (size + stride - 1) / stride
    let pad = max(0, (out - 1) * stride + kernel - size) / 2
    let (input, output) = (Floats(blocks * size * size * vector), Floats(blocks * out * out * vector))
    let (weights, bias) = (Floats(blocks * kernel * kernel * vector), Floats(blocks * vector))
    let zeros = Floats(size * vector, zero: true)
    let inside = (0..<out * kernel).map { index in
      let y = index / kernel * stride + index % kernel - pad
      return (0..<size).contains(y) ? input.constant + y * size * vector : nil
    }
    let cells = (0..<out).map { y in inside[y * kernel..<(y + 1) * kernel].count { $0 != nil } }
    let results = (0..<out).map { Optional(output.base + $0 * out * vector) }
    withExtendedLifetime((input, output, weights, bias, zeros)) {
      inside.withUnsafeBufferPointer { rows in
        results.withUnsafeBufferPointer { results in
          var s = sepal_strip()
          (s.in_w, s.out_w, s.kernel_h, s.kernel_w) = (size, out, kernel, kernel)
          (s.stride_w, s.dilation_w, s.pad_left, s.row_count) = (stride, 1, pad, out)
          (s.rows, s.in_block) = (rows.baseAddress, size * size * vector)
          (s.out, s.out_block) = (results.baseAddress, out * out * vector)
          (s.weights, s.bias, s.zeros) = (weights.constant, bias.constant, zeros.constant)
          s.activation = sepal_activation(kind: SEPAL_ACT_CLAMP, a: 0, b: 6)
          report.line(
            "\(kernel)×\(kernel) s\(stride) \(size)×\(size)×\(channels)",
            operations: (kind == .depthwise ? 2 : 1) * out * out * kernel * kernel * blocks * vector,
            bytes: input.byteCount + output.byteCount
          ) {
            switch kind {
            case .depthwise: kernels.depthwise(&s, 0, blocks)
            case .maxPool: kernels.max_pool(&s, 0, blocks)
            case .averagePool: kernels.average_pool(&s, cells, false, 0, 0, blocks)
            }
          }
        }
      }
    }
  }

  func globalAverage(_ size: Int, _ channels: Int) {
    let vector = kernels.vector_width
    let blocks = (channels + vector - 1) / vector
    let (input, means) = (Floats(blocks * size * size * vector), Floats(blocks * vector))
    withExtendedLifetime((input, means)) {
      report.line(
        "\(size)×\(size)×\(channels)", operations: size * size * blocks * vector, bytes: input.byteCount
      ) {
        kernels.global_average(means.base, input.base, size * size, 0, blocks, size * size * vector)
      }
    }
  }
}
