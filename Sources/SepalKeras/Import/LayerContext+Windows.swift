import SepalGraph

/// Sliding windows as convolutions and pools configure them.
struct WindowConfig {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  var padBegins: [Int]
  var padEnds: [Int]

  /// TensorFlow's `same`: as many outputs as inputs at stride one; what cannot be split evenly is padded at the end.
  static func samePadding(input: Int, kernel: Int, stride: Int, dilation: Int) -> (begin: Int, end: Int) {
    let outputs = (input + stride - 1) / stride
    let reach = (kernel - 1).multipliedReportingOverflow(by: dilation)
    // An impossible window is refused by the operator; here it must only not overflow.
    guard !reach.overflow, reach.partialValue < 1 << 31, outputs > 0 else { return (0, 0) }
    let total = max((outputs - 1) * stride + reach.partialValue + 1 - input, 0)
    return (total / 2, total - total / 2)
  }
}

extension LayerContext {
  /// Strides, dilations and resolved padding for a kernel over the spatial axes of `input`.
  func window(
    kernel: [Int], over input: [Int], layout: Layout, strides: [Int], dilations: [Int]? = nil
  ) throws(KerasError) -> WindowConfig {
    let rank = kernel.count
    let dilations = dilations ?? [Int](repeating: 1, count: rank)
    var window = WindowConfig(
      kernel: kernel, strides: strides, dilations: dilations, padBegins: [Int](repeating: 0, count: rank),
      padEnds: [Int](repeating: 0, count: rank))
    // Keras 1 called it `border_mode`.
    let field = entry("border_mode") == nil ? "padding" : "border_mode"
    switch try string(field, default: "valid") {
    case "valid": break
    case "same":
      for axis in 0..<rank {
        (window.padBegins[axis], window.padEnds[axis]) = WindowConfig.samePadding(
          input: input[layout.firstSpatialAxis + axis], kernel: kernel[axis], stride: strides[axis],
          dilation: dilations[axis])
      }
    case "causal" where rank == 1:
      let (pad, overflow) = (kernel[0] - 1).multipliedReportingOverflow(by: dilations[0])
      guard !overflow, pad < 1 << 31 else { throw invalid("dilation_rate", "is too large") }
      window.padBegins[0] = pad
    case let other:
      throw unsupported(field, "is '\(other.printable())', expected same, valid or, in one dimension, causal")
    }
    return window
  }
}
