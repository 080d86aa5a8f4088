import SepalGraph
import SepalTensor

/// A sliding window over channels-last images with one or two spatial axes.
struct WindowGeometry: Sendable {
  var input, output: ImageShape
  var kernel, strides, dilations, padBegins, padEnds: (h: Int, w: Int)

  init?(
    input: TensorType, output: TensorType, layout: Layout, kernel: [Int], strides: [Int], dilations: [Int],
    padBegins: [Int], padEnds: [Int]
  ) {
    guard layout == .channelsLast, let input = ImageShape(input), let output = ImageShape(output),
      (padBegins + padEnds).allSatisfy({ $0 >= 0 })
    else { return nil }
    func pair(_ list: [Int], _ missing: Int) -> (h: Int, w: Int) {
      list.count == 1 ? (missing, list[0]) : (list[0], list[1])
    }
    self.input = input
    self.output = output
    self.kernel = pair(kernel, 1)
    self.strides = pair(strides, 1)
    self.dilations = pair(dilations, 1)
    self.padBegins = pair(padBegins, 0)
    self.padEnds = pair(padEnds, 0)
  }

  /// Whether every output pixel is a product of the input pixel in the same place.
  var isPointwise: Bool {
    kernel == (1, 1) && strides == (1, 1) && padBegins == (0, 0) && padEnds == (0, 0)
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
        input: site.inputs[0], output: site.outputs[0], layout: op.layout,
        kernel: Array(weight.shape.dropFirst(2)), strides: op.strides, dilations: op.dilations,
        padBegins: op.padBegins, padEnds: op.padEnds)
    else { return nil }
    self.op = op
    self.weight = weight
    bias = site.constant(2)
    self.geometry = geometry
  }

  var multiplyAdds: Int { geometry.output.batch * geometry.output.pixels * weight.count }
}
