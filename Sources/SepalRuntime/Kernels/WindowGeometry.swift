import CSepalKernels
import SepalGraph
import SepalTensor

/// A sliding window over channels-last images with one or two spatial axes, as the kernels take it. One axis is a
/// height of 1.
struct WindowGeometry: Sendable {
  var batch: Int
  var input, output: (h: Int, w: Int, c: Int)
  var kernel, strides, dilations, padBegins, padEnds: (h: Int, w: Int)

  init?(
    input: [Int], output: [Int], layout: Layout, kernel: [Int], strides: [Int], dilations: [Int],
    padBegins: [Int], padEnds: [Int]
  ) {
    guard layout == .channelsLast, input.count == 3 || input.count == 4 else { return nil }
    func pair(_ list: [Int], _ missing: Int) -> (h: Int, w: Int) {
      list.count == 1 ? (missing, list[0]) : (list[0], list[1])
    }
    func image(_ shape: [Int]) -> (h: Int, w: Int, c: Int) {
      let spatial = pair(Array(shape[1..<shape.count - 1]), 1)
      return (spatial.h, spatial.w, shape[shape.count - 1])
    }
    batch = input[0]
    self.input = image(input)
    self.output = image(output)
    self.kernel = pair(kernel, 1)
    self.strides = pair(strides, 1)
    self.dilations = pair(dilations, 1)
    self.padBegins = pair(padBegins, 0)
    self.padEnds = pair(padEnds, 0)
  }

  var rows: Int { batch * output.h }
  var pixels: Int { rows * output.w }

  /// The geometry with dense pixels; operands are added by `bind`.
  var window: sepal_window {
    var w = sepal_window()
    w.batch = batch
    (w.in_h, w.in_w, w.in_c) = (input.h, input.w, input.c)
    (w.out_h, w.out_w, w.out_c) = (output.h, output.w, output.c)
    w.groups = 1
    (w.kernel_h, w.kernel_w) = kernel
    (w.stride_h, w.stride_w) = strides
    (w.dilation_h, w.dilation_w) = dilations
    (w.pad_top, w.pad_left) = padBegins
    w.in_stride = input.c
    w.out_stride = output.c
    w.residual_stride = output.c
    return w
  }
}

/// A convolution whose weights and bias are known when the model is planned.
struct ConstantConvolution {
  let op: Conv
  let weight: Tensor
  let bias: Tensor?
  let geometry: WindowGeometry

  init?(_ site: Site) {
    guard let op = site.op(Conv.self), site.isFloat32, let weight = site.constant(1),
      site.inputs.optional(2) == nil || site.constant(2) != nil,
      let geometry = WindowGeometry(
        input: site.inputs[0].shape, output: site.outputs[0].shape, layout: op.layout,
        kernel: Array(weight.shape.dropFirst(2)), strides: op.strides, dilations: op.dilations,
        padBegins: op.padBegins, padEnds: op.padEnds)
    else { return nil }
    self.op = op
    self.weight = weight
    bias = site.constant(2)
    self.geometry = geometry
  }

  var multiplyAdds: Int { geometry.pixels * weight.count }
}

/// What a window kernel's body needs.
struct WindowContext {
  var functions: UnsafePointer<sepal_kernels>
  var window: sepal_window
}
